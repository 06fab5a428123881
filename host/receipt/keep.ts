/**
 * Keeps receipts: one file a window, `receipts/window-N.cbor` in the data directory. A receipt is written when
 * its window ends, and once more a window later where an outcome or the base's move came after that.
 *
 * @module
 */
import type { WindowView } from "../ledger/ledger.ts";
import { type Log, reason } from "../ledger/log.ts";
import { type Bases, windowOrNull } from "../store/bases.ts";
import { collectReceipt, type ReceiptSources } from "./collect.ts";
import { encodeReceipt } from "./format.ts";

const TARGET = "vramhub_receipts";

/** What receipts are kept with. */
export interface ReceiptParts extends Omit<ReceiptSources, "manifest"> {
  /** Bases, whose manifests are kept, too. */
  readonly bases: Bases;
  /** Log lines. */
  readonly log: Log;
}

/** Where the receipt of `window` lies in the data directory `dir`. */
export function receiptPath(dir: string, window: number): string {
  return `${dir}/receipts/window-${window}.cbor`;
}

/** Writes receipts below one data directory. */
export class Receipts {
  readonly #dir: string;
  readonly #parts: ReceiptParts;
  #last: WindowView | undefined;

  /** Receipts of the network in `dir`. */
  constructor(dir: string, parts: ReceiptParts) {
    this.#dir = dir;
    this.#parts = parts;
  }

  /** Keep the receipt of a window that ended. What fails is logged: a receipt must not stop a validator. */
  async keep(view: WindowView): Promise<void> {
    const { ledger } = this.#parts;
    const last = this.#last;
    this.#last = view;
    await this.#write(view);
    if (last === undefined) return;
    const now = await windowOrNull(ledger, last.window);
    if (now !== null && !sameEnd(now, last)) await this.#write(now);
  }

  async #write({ window, payout }: WindowView): Promise<void> {
    const { bases, log } = this.#parts;
    try {
      // The merge is replayed for the next window anyway: its manifest is at hand from now on.
      const merged = payout?.mergedHash ?? null;
      if (merged !== null) {
        await bases.reach(merged, window + 2).catch((error) =>
          log("warn", TARGET, "Receipt without the merge's manifest", {
            window,
            reason: reason(error),
          })
        );
      }
      const manifest = (hash: Uint8Array) => bases.manifest(hash);
      const bytes = encodeReceipt(await collectReceipt({ ...this.#parts, manifest }, window));
      await writeWhole(receiptPath(this.#dir, window), bytes);
      log("info", TARGET, "Receipt written", { window, bytes: bytes.length });
    } catch (error) {
      log("error", TARGET, "Receipt not written", { window, reason: reason(error) });
    }
  }
}

function sameEnd(a: WindowView, b: WindowView): boolean {
  return a.outcomes.length === b.outcomes.length &&
    (a.payout?.mergedHash ?? null) === null === ((b.payout?.mergedHash ?? null) === null);
}

/** Under its name only once it is whole and on the disk. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    using file = await Deno.open(draft, { write: true, createNew: true });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    await Deno.rename(draft, path);
  } catch (error) {
    await Deno.remove(draft).catch(() => {});
    throw error;
  }
}
