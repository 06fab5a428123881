/**
 * The one system call to `/dev/nsm`, by way of the C library. Linux's `drivers/misc/nsm.c` takes
 * `ioctl(fd, NSM_IOCTL_RAW, struct nsm_raw *)`: two iovecs, request then response, and writes the response's length
 * back. Opened once, before the judge gives up its permissions: every address is taken then, and calling a
 * symbol that is loaded needs none.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { NsmDevice } from "./device.ts";
import { MAX_REQUEST, MAX_RESPONSE, NsmError } from "./messages.ts";

/** `_IOWR(0x0A, 0, struct nsm_raw)`: read and write (3 << 30), 32 bytes (<< 16), magic 0x0A (<< 8), number 0. */
export const NSM_IOCTL: bigint = 0xc0200a00n;

/** Where the kernel puts the module. */
const NSM_PATH = "/dev/nsm";
const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;

const LIBC = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
  memcpy: { parameters: ["buffer", "pointer", "usize"], result: "pointer" },
} as const;

/** The two iovecs: address and length of the request, then of the response; u64 each, in the machine's order. */
const MESSAGE_BYTES = 32;
const REQUEST_LENGTH = 8;
const RESPONSE_LENGTH = 24;

/**
 * Open the module at `path`.
 *
 * @throws {NsmError} `no_device` where it cannot be opened.
 */
export function openNsm(path: string = NSM_PATH): NsmDevice {
  const libc = Deno.dlopen("libc.so.6", LIBC);
  const { symbols } = libc;
  const errno = () => {
    const value = new Int32Array(1);
    symbols.memcpy(value, symbols.__errno_location(), 4n);
    return value[0]!;
  };
  const fd = symbols.open(new TextEncoder().encode(`${path}\0`), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    const error = new NsmError("no_device", `Cannot open ${path}: errno ${errno()}`);
    libc.close();
    throw error;
  }
  const request = new Uint8Array(MAX_REQUEST);
  const response = new Uint8Array(MAX_RESPONSE);
  const message = messageOf(addressOf(request), addressOf(response));
  const view = new DataView(message.buffer);
  return {
    call(bytes: Bytes): Bytes {
      if (bytes.length < 1 || bytes.length > MAX_REQUEST) {
        throw new RangeError(
          `Cannot ask the NSM as a request must be 1 to ${MAX_REQUEST} bytes: it is ${bytes.length}`,
        );
      }
      request.set(bytes);
      response.fill(0);
      view.setBigUint64(REQUEST_LENGTH, BigInt(bytes.length), true);
      view.setBigUint64(RESPONSE_LENGTH, BigInt(MAX_RESPONSE), true);
      if (symbols.ioctl(fd, NSM_IOCTL, message) !== 0) {
        throw new NsmError("ioctl_failed", `The NSM's driver refused a request: errno ${errno()}`);
      }
      return response.slice(0, responseLength(view));
    },
    close() {
      symbols.close(fd);
      libc.close();
    },
  };
}

/** The driver's message over buffers at these addresses, with lengths of zero. */
function messageOf(request: bigint, response: bigint): Bytes {
  const message = new Uint8Array(new ArrayBuffer(MESSAGE_BYTES));
  const view = new DataView(message.buffer);
  view.setBigUint64(0, request, true);
  view.setBigUint64(16, response, true);
  return message;
}

/** Little endian, as both architectures that have the module are. */
function responseLength(view: DataView): number {
  const length = view.getBigUint64(RESPONSE_LENGTH, true);
  if (length > BigInt(MAX_RESPONSE)) {
    throw new NsmError("bad_response", `The NSM's driver gave a length of ${length} bytes`);
  }
  return Number(length);
}

function addressOf(buffer: Bytes): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}
