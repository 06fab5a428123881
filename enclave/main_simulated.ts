/**
 * The SIMULATED judge: a locked-down local process on a Unix socket, and the only entry that knows the
 * simulated NSM. Everything it is made of comes over standard input; once the socket listens and the model
 * runtime is loaded it gives up every permission, and only then says that it is ready. It ends when
 * standard input does, so that it never outlives its courier.
 *
 * @module
 */
import { Judge } from "./judge.ts";
import { dropPermissions } from "./lockdown.ts";
import { SimulatedNsm } from "./nsm/simulated.ts";
import { installSha256, loadRuntime } from "./prepare.ts";
import type { Bytes } from "./protocol/bytes.ts";
import { decodeStartup, MAX_STARTUP, READY, type Startup } from "./protocol/judge_startup.ts";
import { Refusal } from "./protocol/refusal.ts";
import { judgeHandler } from "./server.ts";

/** A simulated judge at work. */
export interface SimulatedJudge {
  /** Where it listens. */
  readonly socketPath: string;
  /** Resolves at the end of standard input, when the socket is closed and the model released. */
  readonly ended: Promise<void>;
}

/**
 * Read the startup message, serve, lock down, say {@linkcode READY}.
 *
 * @throws {Refusal} where the startup message is not what it must be.
 */
export async function startSimulated(): Promise<SimulatedJudge> {
  // Ctrl-C in a terminal reaches every process of the group: the courier decides when its judge ends.
  Deno.addSignalListener("SIGINT", () => {});
  installSha256();
  const startup = decodeStartup(await readMessage());
  const judge = new Judge(await nsmOf(startup), {
    blobBytes: startup.blob_bytes,
    threads: startup.threads,
  });
  await loadRuntime();
  const stop = new AbortController();
  // From here to the revocation the event loop does not turn: no request is read before it.
  const server = Deno.serve(
    { path: startup.socket_path, signal: stop.signal, onListen: () => {} },
    judgeHandler(judge),
  );
  Deno.chmodSync(startup.socket_path, 0o600);
  dropPermissions();
  console.log(READY);
  const ended = (async () => {
    // Nothing follows the message: whatever comes ends the judge, as the end of the input does.
    await Deno.stdin.read(new Uint8Array(1));
    stop.abort();
    await server.finished;
    await judge.close();
  })();
  return { socketPath: startup.socket_path, ended };
}

function nsmOf(startup: Startup): Promise<SimulatedNsm> {
  const { pkcs8, certificate, cabundle } = startup;
  const [pcr0, pcr1, pcr2] = startup.pcrs as [Bytes, Bytes, Bytes];
  return SimulatedNsm.create({
    pkcs8,
    certificate,
    cabundle,
    pcrs: [pcr0, pcr1, pcr2],
    clock: () => Date.now(),
  });
}

/** A length u32le, and as many bytes. */
async function readMessage(): Promise<Bytes> {
  const head = await readExactly(4);
  const length = new DataView(head.buffer).getUint32(0, true);
  if (length > MAX_STARTUP) {
    throw new Refusal(
      "too_large",
      `The startup message has ${length} bytes, ${MAX_STARTUP} is the limit`,
    );
  }
  return await readExactly(length);
}

async function readExactly(length: number): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const n = await Deno.stdin.read(bytes.subarray(at));
    if (n === null) throw new Refusal("truncated", "The startup message ends too early");
    at += n;
  }
  return bytes;
}

if (import.meta.main) {
  const { ended } = await startSimulated();
  await ended;
  Deno.exit(0);
}
