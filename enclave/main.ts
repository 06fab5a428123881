/**
 * The judge in its enclave: a Nitro enclave or a QEMU guest, where PID 1 imports this file by its path in the
 * image and calls {@linkcode serveJudge}. It takes nothing from an environment, an argument or a disk but its own
 * files; identity, randomness and time come from `/dev/nsm`, everything else from the courier over vsock.
 *
 * @module
 */
import { Judge } from "./judge.ts";
import { dropPermissions } from "./lockdown.ts";
import { DeviceNsm, type NsmDevice } from "./nsm/device.ts";
import { openNsm } from "./nsm/ioctl.ts";
import { installSha256, loadRuntime } from "./prepare.ts";
import { judgeHandler } from "./server.ts";

/** The vsock port that the judge serves on: Nautilus's. */
export const JUDGE_PORT = 3_000;
/** `VMADDR_CID_ANY`: whichever CID the hypervisor has given to this enclave. */
const CID_ANY = -1;

/**
 * Bytes of gradients and base chunks held at a time. An enclave of 4 GiB has room for it: about 0.4 GiB is the
 * image and the runtime, 0.4 GiB bodies in flight, 1.5 GiB two bases, their assembly and a forward pass of nano-GPT.
 */
export const BLOB_BYTES = 2 ** 30;

/** Where the judge listens. */
export type Listen =
  | { readonly transport: "vsock"; readonly cid: number; readonly port: number }
  | { readonly path: string };

/** What PID 1 may choose; the defaults are those of an enclave. */
export interface ServeOptions {
  /** Default vsock, any CID, port {@linkcode JUDGE_PORT}. */
  readonly listen?: Listen;
  /** Default `/dev/nsm`. */
  readonly device?: NsmDevice;
  /** Bytes of blobs held at a time; default 1 GiB. */
  readonly blobBytes?: number;
  /** Threads of a forward pass; default 0, one a core. */
  readonly threads?: number;
  /** Called once the socket listens, while this process still has its permissions. It must not take time. */
  readonly onServing?: () => void;
}

/** A judge at work. */
export interface ServedJudge {
  /** Its name by its module. */
  readonly moduleId: string;
  /** Settles when it serves no more: the enclave must end then. */
  readonly ended: Promise<void>;
}

/**
 * Load the model runtime, draw the key, serve, and give up every permission of this process for good: what PID 1
 * has to mount, to read or to send, it does before.
 *
 * @throws {NsmError} where there is no module, or it does not answer as it must.
 * @throws {Error} where a permission is still granted: nothing is answered then.
 */
export async function serveJudge(options: ServeOptions = {}): Promise<ServedJudge> {
  const { blobBytes = BLOB_BYTES, threads = 0 } = options;
  const listen = options.listen ?? { transport: "vsock", cid: CID_ANY, port: JUDGE_PORT };
  installSha256();
  const nsm = new DeviceNsm(options.device ?? openNsm());
  const { moduleId } = nsm.describe();
  const judge = new Judge(nsm, { blobBytes, threads });
  await loadRuntime();
  // From here to the revocation the event loop does not turn: no request is read before it.
  const server = serve(listen, judgeHandler(judge));
  options.onServing?.();
  dropPermissions();
  console.log("judge: ready");
  const ended = server.finished.then(() => judge.close());
  return { moduleId, ended };
}

function serve(listen: Listen, handle: (request: Request) => Promise<Response>) {
  const onListen = () => {};
  return "path" in listen
    ? Deno.serve({ ...listen, onListen }, handle)
    : Deno.serve({ ...listen, onListen }, handle);
}

if (import.meta.main) {
  try {
    await (await serveJudge()).ended;
  } catch (error) {
    console.error(`judge: cannot start: ${error instanceof Error ? error.message : error}`);
  }
  Deno.exit(1); // a judge that serves no more ends its enclave
}
