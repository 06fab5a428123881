/**
 * The few functions of libc that PID 1 calls.
 *
 * @module
 */

const SYMBOLS = {
  mount: {
    parameters: ["buffer", "buffer", "buffer", "u64", "buffer"],
    result: "i32",
  },
} as const;

/** Flags of mount(2), from linux/mount.h. */
export const MS_NOSUID = 2n;
/** No device files. */
export const MS_NODEV = 4n;
/** No programs. */
export const MS_NOEXEC = 8n;

/**
 * Mount the file system `type` on the folder `target`; the folder is made where it is missing.
 *
 * @throws {Error} where the kernel refuses.
 */
export function mount(type: string, target: string, flags: bigint): void {
  Deno.mkdirSync(target, { recursive: true });
  const libc = Deno.dlopen("libc.so.6", SYMBOLS);
  try {
    const name = cString(type);
    if (libc.symbols.mount(name, cString(target), name, flags, null) !== 0) {
      throw new Error(`Cannot mount ${type} on ${target}`);
    }
  } finally {
    libc.close();
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
