/**
 * The checks of `verify` by name, so that a tool can show how far a document got.
 *
 * @module
 */

/** The name of one check. */
export type Check =
  | "envelope"
  | "payload"
  | "root"
  | "certificates"
  | "signature"
  | "chain"
  | "time"
  | "debug"
  | "measurement"
  | "fields";

/** Every check in the order in which `verify` makes them: the first that fails is the last that is made. */
export const CHECKS: readonly Check[] = [
  "envelope",
  "payload",
  "root",
  "certificates",
  "signature",
  "chain",
  "time",
  "debug",
  "measurement",
  "fields",
];
