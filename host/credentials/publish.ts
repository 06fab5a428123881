/**
 * Publishing read keys: sealed for the next epoch, which takes the former ones' place. A note beside the miner's
 * journal tells what was published last, so that a restart publishes nothing anew; it holds no key.
 *
 * @module
 */
import { concat, fromHex, toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import type { CredentialsRow, GovernanceLedger } from "../ledger/governance.ts";
import type { Address } from "../ledger/ledger.ts";
import type { ReadKeyEnvelope, ReadKeys } from "./read_keys.ts";

/** What is published, and for whom. */
export interface Publication {
  /** The ledger. */
  readonly ledger: Pick<
    GovernanceLedger,
    "credentials" | "nextCredentialsEpoch" | "setCredentials"
  >;
  /** The slot's owner. */
  readonly owner: Address;
  /** The slot. */
  readonly uid: number;
  /** Seals. */
  readonly envelope: ReadKeyEnvelope;
  /** The keys. */
  readonly keys: ReadKeys;
  /** Where they read. */
  readonly place: Pick<CredentialsRow, "bucket" | "account">;
}

/** The note's content. */
interface Note {
  readonly generation: number;
  readonly epoch: number;
  readonly salt: string;
  readonly fingerprint: string;
}

const MAX_NOTE = 1_024;

/**
 * Publish the keys as the slot's next epoch, whatever it has; returns the row. The former epoch's keys are no longer
 * given to anybody: make the service forget them, too.
 *
 * @throws {CredentialsError} where they cannot be sealed.
 * @throws {LedgerError} what the ledger refuses.
 */
export async function rotateReadKeys(publication: Publication): Promise<CredentialsRow> {
  const { envelope, keys, ledger, owner, place, uid } = publication;
  const epoch = await ledger.nextCredentialsEpoch(uid);
  const sealed = await envelope.seal(keys, uid, epoch);
  await ledger.setCredentials(owner, uid, { ...place, ...sealed, epoch });
  const row = await ledger.credentials(uid);
  if (row === null) throw new Error(`The ledger has no credentials of slot ${uid} after all`);
  return row;
}

/**
 * Publish the keys unless the ledger has them already, as the file `note` remembers; returns whether it did.
 *
 * @throws as {@link rotateReadKeys}.
 */
export async function publishReadKeys(publication: Publication, note: string): Promise<boolean> {
  const { ledger, uid } = publication;
  const known = await readNote(note);
  const row = await ledger.credentials(uid);
  const published = known !== null && row !== null && known.generation === row.generation &&
    known.epoch === row.epoch && known.fingerprint === fingerprint(publication, known.salt);
  if (published) return false;
  const { epoch, generation } = await rotateReadKeys(publication);
  const salt = toHex(crypto.getRandomValues(new Uint8Array(16)));
  const fresh: Note = { generation, epoch, salt, fingerprint: fingerprint(publication, salt) };
  await Deno.writeTextFile(`${note}.new`, JSON.stringify(fresh), { mode: 0o600 });
  await Deno.rename(`${note}.new`, note);
  return true;
}

/** What tells one publication from another, and nothing of the keys. */
function fingerprint({ envelope, keys, place }: Publication, salt: string): string {
  const about = JSON.stringify([envelope.kind, place.bucket, place.account]);
  return toHex(sha256(concat(fromHex(salt), sha256(utf8(about)), sha256(keys.encode()))));
}

/** The note, or null where there is none that can be read: then the keys are published once more. */
async function readNote(path: string): Promise<Note | null> {
  try {
    if ((await Deno.stat(path)).size > MAX_NOTE) return null;
    const note = JSON.parse(await Deno.readTextFile(path)) as Partial<Note>;
    const whole = Number.isInteger(note.generation) && Number.isInteger(note.epoch) &&
      /^[0-9a-f]{32}$/.test(note.salt ?? "") && typeof note.fingerprint === "string";
    return whole ? note as Note : null;
  } catch {
    return null;
  }
}
