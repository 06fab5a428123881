/**
 * Objects of Sui's framework that are read here.
 *
 * @module
 */
import { count, struct, uid } from "./layout.ts";

/** The shared clock, object 0x6. */
export const Clock = struct("0x2::clock::Clock", { id: uid, timestamp_ms: count });
/** Its id. */
export const CLOCK_ID = "0x0000000000000000000000000000000000000000000000000000000000000006";
