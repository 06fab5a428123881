/**
 * The Enclave Image Format, version 4: writer and strict reader.
 *
 * @module
 */
export { type EifParts, encodeEif } from "./write.ts";
export { type Eif, type EifSection, readEif } from "./read.ts";
export { MAX_EIF_BYTES, MAX_RAMDISKS, type SectionType } from "./format.ts";
