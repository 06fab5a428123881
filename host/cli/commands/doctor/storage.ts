/**
 * Checks of the store: what a miner writes is readable with the key that validators get, and that key writes nothing.
 *
 * @module
 */
import { sha256 } from "../../../../enclave/protocol/hash.ts";
import { type Store, StoreError } from "../../../store/store.ts";
import { type Check, fail, ok, skip } from "./finding.ts";

/** One store under the two keys of its owner. */
export interface StoragePair {
  /** For people: `r2 bucket gradients`. */
  readonly name: string;
  /** With the key that may write. */
  readonly write: Store;
  /** With the key that validators get, or why there is none. */
  readonly read: Store | string;
  /** Release what is held of both. */
  readonly close: () => void;
}

/** What is written, read and deleted again. */
const PROBE = "vramhub-doctor-probe";

/** Whether the store was not reached at all, which says nothing about a key. */
function isUnreached(error: unknown): boolean {
  return error instanceof StoreError && error.code === "unavailable";
}

const UNREACHED = "the store was not reached: see 'storage write'";

const writable: Check = {
  name: "storage write",
  async run({ storage }) {
    if (typeof storage === "string") return skip(storage);
    if (storage instanceof Error) return fail(storage.message, "correct the setting; see 'config'");
    const bytes = crypto.getRandomValues(new Uint8Array(64));
    try {
      await storage.write.put(PROBE, bytes);
      await storage.write.get(PROBE, { maxBytes: 64, sha256: sha256(bytes) });
    } catch (error) {
      return fail(
        `${storage.name}: ${(error as Error).message}`,
        isUnreached(error)
          ? "see that it answers at its address (VRAMHUB_S3_ENDPOINT, VRAMHUB_R2_…), or has room, where it is a folder"
          : "check the name of the bucket, the account and the key that may write (VRAMHUB_R2_…)",
      );
    } finally {
      await storage.write.delete(PROBE).catch(() => {});
    }
    return ok(`${storage.name} takes what is written, and gives it back`);
  },
};

const readable: Check = {
  name: "storage read",
  async run({ storage }) {
    if (typeof storage === "string") return skip(storage);
    if (storage instanceof Error) {
      return skip("the store's settings are wrong: see 'storage write'");
    }
    const { name, read, write } = storage;
    if (typeof read === "string") return skip(read);
    const bytes = crypto.getRandomValues(new Uint8Array(64));
    try {
      await write.put(PROBE, bytes);
      await read.get(PROBE, { maxBytes: 64, sha256: sha256(bytes) });
      return ok(`${name}: the read key reads what was written`);
    } catch (error) {
      if (isUnreached(error)) return skip(UNREACHED);
      return fail(
        `${name}: ${(error as Error).message}`,
        "give the read key the right to read objects of this bucket (VRAMHUB_R2_READ_…)",
      );
    } finally {
      await write.delete(PROBE).catch(() => {});
    }
  },
};

const refused: Check = {
  name: "read key",
  async run({ storage }) {
    if (typeof storage === "string") return skip(storage);
    if (storage instanceof Error) {
      return skip("the store's settings are wrong: see 'storage write'");
    }
    const { name, read, write } = storage;
    if (typeof read === "string") return skip(read);
    try {
      await read.put(PROBE, new Uint8Array(1));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (isUnreached(error)) return skip(UNREACHED);
      return ok(`${name}: the read key writes nothing`);
    }
    await write.delete(PROBE).catch(() => {});
    return fail(
      `${name}: the read key WRITES, and every validator gets it`,
      "make another key with the right to read alone, and publish it: credentials set",
    );
  },
};

/** See the names. */
export const STORAGE_CHECKS: readonly Check[] = [writable, readable, refused];
