/**
 * A guest that runs an image on QEMU's `nitro-enclave` machine: the heartbeat is answered, the judge's port is
 * reached over a Unix socket, and nothing is left when it stops. Its attestation documents carry the right PCRs
 * and no signature: a verifier must refuse them.
 *
 * PID 1 accepts no clock but a hypervisor's or the CPU's counter. Without KVM the machine has neither KVM's clock
 * nor a timer by which the kernel could measure the counter, so that the emulator says its frequency: QEMU puts
 * the words of `-append` behind the image's command line, where no PCR sees them. The host of a real enclave has
 * no such way in.
 *
 * @module
 */
import type { Emulator } from "./build.ts";

/** How a guest is started. */
export interface GuestOptions {
  /** Path of the image. */
  readonly eif: string;
  /** The tools. */
  readonly emulator: Emulator;
  /** Memory in MiB; default 2,048. */
  readonly memory?: number;
  /** CPUs; default 2. */
  readonly cpus?: number;
  /** Milliseconds until the judge must listen; default 120,000. */
  readonly bootMs?: number;
  /** A file that gets all that the console shows; default one that is deleted at the end. */
  readonly console?: string;
  /**
   * An empty folder for its sockets, so that a guest that is started after another has its path; it stays. Default
   * one that is deleted at the end.
   */
  readonly folder?: string;
}

/** A running guest. */
export interface Guest extends AsyncDisposable {
  /** Unix socket that leads to any port of the guest: write `CONNECT 3000\n`, read a line `OK …`, then speak. */
  readonly socket: string;
  /** Milliseconds from QEMU's start to the heartbeat. */
  readonly heartbeatMs: number;
  /** Milliseconds from QEMU's start until the judge listened. */
  readonly bootMs: number;
  /** Settles when the guest has ended, by itself or by {@linkcode Guest.stop}. */
  readonly ended: Promise<void>;
  /** What QEMU and the vsock device have written to standard error: why they ended, where they did by themselves. */
  stderr(): string;
  /** A connection to `port` of the guest. @throws {GuestError} where nobody listens there. */
  connect(port: number): Promise<Deno.UnixConn>;
  /** What the console has shown. */
  console(): Promise<string>;
  /** End it and its helper, and delete its files. */
  stop(): Promise<void>;
}

/** A guest did not start, or does not answer. */
export class GuestError extends Error {
  /** What is raised. */
  override readonly name = "GuestError";
}

/** Where the judge listens: Nautilus's port. */
export const JUDGE_PORT = 3_000;
/** The port of the parent that an enclave reports to, and the byte. */
const HEARTBEAT_PORT = 9_000;
const HEARTBEAT = 0xb7;
/** Milliseconds between two looks for the judge. */
const LOOK_MS = 50;
/** Any number above 2 does: each guest has a device of its own. */
const GUEST_CID = 4;
/** Milliseconds for a helper to listen. */
const HELPER_MS = 10_000;
/** Milliseconds between asking a process to end and making it. */
const STOP_MS = 3_000;
/** Characters of console, and of standard error, that an error repeats. */
const TAIL = 3_000;
/** What lies in a guest's folder: the sockets of the device, of the guest and of its heartbeat, and the console. */
const FILES = ["v", "vm", `vm_${HEARTBEAT_PORT}`, "console"];
/**
 * Devices handle what the guest gives them at once and not in a thread of their own: that one looks for work when a
 * driver starts, and where it finds a request to the security module whose buffer for the response is just being
 * added, QEMU gives the module up for good.
 */
const SYNCHRONOUS = "virtio-mmio.ioeventfd=off";
/**
 * What the emulator can do, but for what costs it time: it runs string instructions a unit at a time, so that a kernel
 * that believes them fast clears and copies by the byte; and a fifth level of page tables is walked in software.
 */
const CPU = "max,-erms,-fsrm,-la57";
/** Where Linux says how fast the counter of this machine runs, which is the guest's. */
const CPUINFO = "/proc/cpuinfo";
/** Taken where nobody says: the guest's time then runs faster or slower than ours, and nothing else differs. */
const DEFAULT_MHZ = 2_000;

/**
 * Start a guest, answer its heartbeat, and wait until its judge listens.
 *
 * @throws {GuestError} where it ends or does neither in time, with the end of its console.
 */
export async function startGuest(options: GuestOptions): Promise<Guest> {
  const folder = options.folder ?? await Deno.makeTempDir({ prefix: "vramhub-guest-" });
  const console = options.console ?? `${folder}/console`;
  const processes: Deno.ChildProcess[] = [];
  const stderr = new Tail();
  let stopping: Promise<void> | undefined;
  const stop = () =>
    stopping ??= stopAll(processes).then(async () => {
      await stderr.ended();
      if (options.folder === undefined) return Deno.remove(folder, { recursive: true });
      for (const name of FILES) await Deno.remove(`${folder}/${name}`).catch(() => {});
    });
  try {
    const heartbeat = heartbeatOnce(`${folder}/vm_${HEARTBEAT_PORT}`);
    try {
      processes.push(stderr.of(startVsock(options.emulator, folder)));
      await socketAt(`${folder}/v`, HELPER_MS);
      const began = performance.now();
      const qemu = stderr.of(await startQemu(options, folder, console));
      processes.push(qemu);
      const ended = qemu.status.then(() => {});
      const socket = `${folder}/vm`;
      let heartbeatMs = 0;
      const booted = heartbeat.came.then(() => {
        heartbeatMs = performance.now() - began;
        return listening(socket, () => stopping !== undefined);
      });
      await within(options.bootMs ?? 120_000, booted, ended);
      const bootMs = performance.now() - began;
      return {
        socket,
        heartbeatMs,
        bootMs,
        ended,
        stderr: () => stderr.text,
        connect: (port) => connectTo(socket, port),
        console: () => Deno.readTextFile(console),
        stop,
        [Symbol.asyncDispose]: stop,
      };
    } finally {
      heartbeat.close();
    }
  } catch (error) {
    const shown = await Deno.readTextFile(console).catch(() => "");
    await stop();
    const reason = error instanceof Error ? error.message : String(error);
    const said = [stderr.text, shown.slice(-TAIL)].filter((text) => text !== "").join("\n");
    throw new GuestError(`Cannot boot ${options.eif}: ${reason}\n${said}`);
  }
}

function startVsock(emulator: Emulator, folder: string): Deno.ChildProcess {
  const vm = `guest-cid=${GUEST_CID},socket=${folder}/v,uds-path=${folder}/vm`;
  return new Deno.Command(emulator.vsock, {
    args: ["--vm", vm],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function startQemu(
  options: GuestOptions,
  folder: string,
  console: string,
): Promise<Deno.ChildProcess> {
  const { emulator, memory = 2_048, cpus = 2 } = options;
  await Deno.writeTextFile(console, "");
  // The console goes into a file by QEMU itself; it has no window, no monitor and no input.
  return new Deno.Command(emulator.qemu, {
    args: [
      ...["-M", "nitro-enclave,vsock=c,id=vramhub", "-accel", "tcg,thread=multi", "-cpu", CPU],
      ...["-m", `${memory}M`, "-smp", String(cpus), "-L", emulator.firmware],
      ...["-display", "none", "-monitor", "none", "-no-reboot"],
      ...["-global", SYNCHRONOUS],
      ...["-serial", `file:${console}`, "-kernel", options.eif, "-append", await clockWords()],
      ...["-chardev", `socket,id=c,path=${folder}/v`],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** Words for the guest's kernel: the counter is a clock, and this fast. */
async function clockWords(): Promise<string> {
  const info = await Deno.readTextFile(CPUINFO).catch(() => "");
  const mhz = Number(/^cpu MHz\s*: ([\d.]+)$/m.exec(info)?.[1] ?? DEFAULT_MHZ);
  return `tsc=reliable tsc_early_khz=${Math.round(1_000 * mhz)}`;
}

/** The last of what some processes write to standard error. */
class Tail {
  readonly #drains: Promise<void>[] = [];
  /** The text. */
  text = "";

  /** Listen to `child`, too. */
  of(child: Deno.ChildProcess): Deno.ChildProcess {
    this.#drains.push(this.#drain(child.stderr));
    return child;
  }

  /** Resolves when all of them have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#drains);
  }

  async #drain(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text = (this.text + text).slice(-TAIL);
    }
  }
}

/** Answers one heartbeat at `path`. */
function heartbeatOnce(path: string): { readonly came: Promise<void>; close(): void } {
  const listener = Deno.listen({ transport: "unix", path });
  let open = true;
  const answer = async () => {
    using guest = await listener.accept();
    const byte = new Uint8Array(1);
    if (await guest.read(byte) !== 1 || byte[0] !== HEARTBEAT) {
      throw new GuestError("its heartbeat is another byte");
    }
    await guest.write(byte);
    // The guest closes first, when it has read.
    await guest.read(byte);
  };
  const came = answer();
  came.catch(() => {}); // closed before it came
  return {
    came,
    close: () => {
      if (open) listener.close();
      open = false;
    },
  };
}

/** Until the judge takes a connection, or `givenUp` says so. */
async function listening(socket: string, givenUp: () => boolean): Promise<void> {
  while (!givenUp()) {
    try {
      (await connectTo(socket, JUDGE_PORT)).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

async function within(ms: number, came: Promise<void>, ended: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new GuestError(`it is silent for ${ms} ms`)), ms);
  });
  const gone = ended.then(() => {
    throw new GuestError("it ended");
  });
  try {
    await Promise.race([came, gone, late]);
  } finally {
    clearTimeout(timer);
    gone.catch(() => {});
  }
}

async function socketAt(path: string, ms: number): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end;) {
    if (await Deno.lstat(path).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new GuestError("the vsock device does not start");
}

async function connectTo(socket: string, port: number): Promise<Deno.UnixConn> {
  const connection = await Deno.connect({ transport: "unix", path: socket });
  try {
    await connection.write(new TextEncoder().encode(`CONNECT ${port}\n`));
    const line: number[] = [];
    const byte = new Uint8Array(1);
    while (line.length < 64 && await connection.read(byte) !== null) {
      if (byte[0] === 0x0a) break;
      line.push(byte[0]!);
    }
    if (!String.fromCharCode(...line).startsWith("OK ")) {
      throw new GuestError(`Cannot connect as nothing listens on port ${port} of the guest`);
    }
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function stopAll(processes: Deno.ChildProcess[]): Promise<void> {
  for (const child of processes.reverse()) {
    const kill = (signal: Deno.Signal) => {
      try {
        child.kill(signal);
      } catch {
        // It has ended already.
      }
    };
    kill("SIGTERM");
    const timer = setTimeout(() => kill("SIGKILL"), STOP_MS);
    await child.status;
    clearTimeout(timer);
  }
}
