/**
 * Search by window, uid, address or hash.
 *
 * @module
 */
import { fromHex, toHex } from "../../enclave/protocol/bytes.ts";
import type { ApiParts } from "./api.ts";
import { type Query, textOf } from "./query.ts";
import { ADDRESS } from "./wallet.ts";

/** Hits of one search. */
const MAX_HITS = 50;
const MAX_TEXT = 200;

/** Something that was found. */
export interface Hit {
  /** What it is. */
  readonly kind: "window" | "miner" | "validator" | "address" | "hash";
  /** For people. */
  readonly label: string;
  /** Its page. */
  readonly path: string;
}

/** `/search`. */
export async function search(parts: ApiParts, query: Query) {
  const text = textOf(query, "q", MAX_TEXT).trim().toLowerCase();
  const hits = [...await bySlot(parts, text), ...await byHex(parts, text)];
  return { hits: hits.slice(0, MAX_HITS) };
}

async function bySlot({ index, ledger }: ApiParts, text: string): Promise<Hit[]> {
  const [, kind = "", digits] = /^(window|miner|validator|uid)?\s*#?(\d{1,15})$/.exec(text) ?? [];
  if (digits === undefined) return [];
  const number = Number(digits);
  const wants = (...kinds: string[]) => kind === "" || kinds.includes(kind);
  const hits: Hit[] = [];
  if (wants("window") && index.list(number + 1, 1)[0]?.window === number) {
    hits.push({ kind: "window", label: `Window ${number}`, path: `/window/${number}` });
  }
  if (wants("miner", "uid") && (await ledger.miners()).some(({ uid }) => uid === number)) {
    hits.push({ kind: "miner", label: `Miner ${number}`, path: `/miners/${number}` });
  }
  if (wants("validator", "uid") && (await ledger.validators()).some(({ uid }) => uid === number)) {
    hits.push({ kind: "validator", label: `Validator ${number}`, path: `/validators#${number}` });
  }
  return hits;
}

async function byHex({ index, ledger }: ApiParts, text: string): Promise<Hit[]> {
  const address = text.startsWith("0x") ? text : `0x${text}`;
  if (!ADDRESS.test(address)) return [];
  const hash = fromHex(address.slice(2), 32);
  const hits: Hit[] = index.find(hash).map(({ what, window }) => ({
    kind: "hash",
    label: `${what} in window ${window}`,
    path: `/window/${window}`,
  }));
  for (const { uid } of await ledger.validators()) {
    const row = await ledger.enclave(uid);
    if (row !== null && toHex(row.key) === toHex(hash)) {
      hits.push({ kind: "hash", label: `Key of validator ${uid}'s judge`, path: "/enclaves" });
    }
  }
  const [miners, validators, balance] = await Promise.all([
    ledger.miners(),
    ledger.validators(),
    ledger.balance(address),
  ]);
  const isKnown = [...miners, ...validators].some(({ owner }) => owner === address) ||
    balance.sui + balance.vram + balance.claimable > 0n;
  if (isKnown || text.startsWith("0x")) {
    hits.unshift({ kind: "address", label: `Address ${address}`, path: `/wallet/${address}` });
  }
  return hits;
}
