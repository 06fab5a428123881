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
  open: { parameters: ["buffer", "i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
} as const;

/** Flags of mount(2), from linux/mount.h. */
export const MS_NOSUID = 2n;
/** No device files. */
export const MS_NODEV = 4n;
/** No programs. */
export const MS_NOEXEC = 8n;
const O_RDONLY = 0;
const STDIN = 0;

/**
 * Mount the file system `type` on the folder `target`; the folder is made where it is missing.
 *
 * @throws {Error} where the kernel refuses.
 */
export function mount(type: string, target: string, flags: bigint): void {
  Deno.mkdirSync(target, { recursive: true });
  const name = cString(type);
  const result = withLibc(({ mount }) => mount(name, cString(target), name, flags, null));
  if (result !== 0) throw new Error(`Cannot mount ${type} on ${target}`);
}

/**
 * Put `/dev/null` in the place of standard input. A Deno process whose input is a terminal asks there for every
 * permission that it lacks, and whoever types `y` grants it: an enclave's terminal is its console, so that after
 * this the judge's lock-down cannot be taken back from there.
 *
 * @throws {Error} where the kernel refuses.
 */
export function closeInput(): void {
  const moved = withLibc(({ dup2, open }) => {
    const nothing = open(cString("/dev/null"), O_RDONLY);
    return nothing < 0 ? nothing : dup2(nothing, STDIN);
  });
  if (moved !== STDIN) throw new Error("Cannot close the standard input");
}

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

function withLibc<T>(call: (symbols: Symbols) => T): T {
  const libc = Deno.dlopen("libc.so.6", SYMBOLS);
  try {
    return call(libc.symbols);
  } finally {
    libc.close();
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
