/**
 * This machine, as `doctor` sees it.
 *
 * @module
 */

/** Huge pages of one size. */
export interface HugePages {
  /** All of them. */
  readonly total: number;
  /** Of them unused. */
  readonly free: number;
  /** Size of each in KiB. */
  readonly sizeKib: number;
}

/** What is asked of a machine; tests have their own. */
export interface Machine {
  /** `linux`, `darwin`, … */
  readonly os: string;
  /** Logical CPUs that this process may use. */
  cpus(): number;
  /** Bytes of memory that can be had. */
  availableMemory(): number;
  /** Huge pages, or null where the system has none to tell of. */
  hugePages(): HugePages | null;
  /** Whether there is a file or device. */
  exists(path: string): boolean;
  /** Permission bits of a file, or null where there is none, or no such bits. */
  mode(path: string): number | null;
  /** Text of a small file, or null. */
  text(path: string): string | null;
}

/** The machine that runs this. */
export const THIS_MACHINE: Machine = {
  os: Deno.build.os,
  cpus: () => navigator.hardwareConcurrency,
  availableMemory: () => Deno.systemMemoryInfo().available,
  hugePages() {
    const text = THIS_MACHINE.text("/proc/meminfo");
    return text === null ? null : parseHugePages(text);
  },
  exists(path) {
    try {
      Deno.lstatSync(path);
      return true;
    } catch {
      return false;
    }
  },
  mode(path) {
    try {
      return Deno.statSync(path).mode;
    } catch {
      return null;
    }
  },
  text(path) {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return null;
    }
  },
};

/** The default size's huge pages out of `/proc/meminfo` (proc(5)), or null where it has none. */
export function parseHugePages(meminfo: string): HugePages | null {
  const number = (name: string) => {
    const digits = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const total = number("HugePages_Total");
  const free = number("HugePages_Free");
  const sizeKib = number("Hugepagesize");
  if (total === undefined || free === undefined || sizeKib === undefined) return null;
  return { total, free, sizeKib };
}
