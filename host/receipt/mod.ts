/**
 * Receipts of closed windows: collected from the ledger, kept as files, read strictly. What verifies them is
 * `deno task report verify`.
 *
 * @module
 */
export { collectReceipt, type ReceiptSources } from "./collect.ts";
export { drawnPages, type Draws } from "./draws.ts";
export { windowEvents } from "./events.ts";
export {
  decodeReceipt,
  encodeReceipt,
  MAX_RECEIPT_BYTES,
  RECEIPT,
  type Receipt,
  RECEIPT_VERSION,
} from "./format.ts";
export { type ReceiptParts, receiptPath, Receipts } from "./keep.ts";
