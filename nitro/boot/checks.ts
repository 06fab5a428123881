/**
 * What must hold before the judge may start. Every check fails closed: PID 1 ends, the kernel panics, the
 * enclave is gone.
 *
 * @module
 */

/** What the checks look at. */
export interface Machine {
  /** The text of a file, trimmed. @throws where there is none. */
  read(path: string): string;
  /** Names in a folder. @throws where there is none. */
  list(path: string): string[];
  /** Whether `path` is a character device. */
  isDevice(path: string): boolean;
}

/**
 * Clocks that the hypervisor or the CPU itself drives: a Nitro machine has both, and its kernel takes the first. A
 * kernel that finds neither counts interrupts, which whoever delivers them can hold back: such a machine is refused,
 * also under emulation, whose kernel is told how fast the emulated CPU's counter runs (`qemu/guest.ts`).
 */
const CLOCKS = ["kvm-clock", "tsc"];
const CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
/** The source of the kernel's randomness. */
const RANDOM = "nsm-hwrng";

/** This machine, through /proc, /sys and /dev. */
export const THIS_MACHINE: Machine = {
  read: (path) => Deno.readTextFileSync(path).trim(),
  list: (path) => [...Deno.readDirSync(path)].map(({ name }) => name),
  isDevice: (path) => Deno.statSync(path).isCharDevice === true,
};

/**
 * Check that randomness comes from the security module, the clock from the hypervisor or the CPU, and that there is
 * no network.
 *
 * @returns One line a check, for the console.
 * @throws {Error} naming the first check that fails.
 */
export function checkMachine(machine: Machine = THIS_MACHINE): string[] {
  if (!machine.isDevice("/dev/nsm")) throw new Error("/dev/nsm is not a device");
  const random = machine.read("/sys/class/misc/hw_random/rng_current");
  if (random !== RANDOM) throw new Error(`the random generator is '${random}', not ${RANDOM}`);
  const clock = machine.read(CLOCK);
  if (!CLOCKS.includes(clock)) {
    throw new Error(`the clock is '${clock}', not ${CLOCKS.join(" or ")}`);
  }
  const interfaces = machine.list("/sys/class/net").filter((name) => name !== "lo");
  if (interfaces.length > 0) throw new Error(`there is a network: ${interfaces.join(", ")}`);
  return [`random ${random}`, `clock ${clock}`, "network none"];
}
