/**
 * Ramdisks: "newc" cpio archives of which there is exactly one for each set of entries.
 *
 * @module
 */
export type { CpioDevice, CpioDirectory, CpioEntry, CpioFile, CpioLink } from "./entry.ts";
export { cpioSize, encodeCpio, withDirectories } from "./write.ts";
export { readCpio, type ReadEntry } from "./read.ts";
