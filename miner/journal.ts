/**
 * A miner's journal: what was committed to, written before it is, so that a restart can still reveal it.
 *
 * @module
 */
import { type Bytes, fromHex, toHex } from "../enclave/protocol/bytes.ts";

/** A gradient that is or may be committed. */
export interface PendingGradient {
  /** N. */
  readonly window: number;
  /** The slot. */
  readonly uid: number;
  /** The wire bytes. */
  readonly bytes: Bytes;
  /** Their SHA-256. */
  readonly contentHash: Bytes;
  /** Wire format. */
  readonly codec: number;
  /** 32 random bytes. */
  readonly salt: Bytes;
}

/** The last gradient of one miner, in a folder of its own. */
export class MinerJournal {
  readonly #dir: string;

  /** In `dir`, which is made on the first write. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Write `pending`, the bytes first; the record appears whole or not at all. */
  async save(pending: PendingGradient): Promise<void> {
    await Deno.mkdir(this.#dir, { recursive: true });
    await Deno.writeFile(`${this.#dir}/${toHex(pending.contentHash)}.bin`, pending.bytes);
    const { window, uid, codec, contentHash, salt } = pending;
    const record = { window, uid, codec, contentHash: toHex(contentHash), salt: toHex(salt) };
    const draft = `${this.#dir}/pending.json.draft`;
    // The salt is what a copier would need: nobody else reads it before the reveal.
    await Deno.writeTextFile(draft, JSON.stringify(record), { mode: 0o600 });
    await Deno.rename(draft, `${this.#dir}/pending.json`);
  }

  /** The gradient of `window`, if it was the last one saved. */
  async load(window: number): Promise<PendingGradient | null> {
    let record;
    try {
      record = JSON.parse(await Deno.readTextFile(`${this.#dir}/pending.json`));
      if (record.window !== window) return null;
      const bytes = await Deno.readFile(`${this.#dir}/${record.contentHash}.bin`);
      return {
        window,
        uid: record.uid,
        codec: record.codec,
        bytes,
        contentHash: fromHex(record.contentHash, 32),
        salt: fromHex(record.salt, 32),
      };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Forget the bytes of `pending`: its window is over. */
  async clear(pending: PendingGradient): Promise<void> {
    await Deno.remove(`${this.#dir}/${toHex(pending.contentHash)}.bin`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
