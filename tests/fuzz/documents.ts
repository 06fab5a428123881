/**
 * Mutants of documents that know their structure, SIGNED again by the simulated chain, so that they get past
 * the signature to what lies behind it.
 *
 * @module
 */
import { type Bytes, concat, fromHex } from "../../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { mutateBytes } from "./bytes.ts";
import { mutateDer, readDer, writeDer } from "./der_tree.ts";
import { certificateTree, documentOf, fields, PARTIES, PCRS, seal } from "./pki.ts";
import type { Random } from "./random.ts";

type Entry = [key: Bytes, value: Bytes];

/** CBOR that no document should have in it, or not there. */
const ITEMS = [
  "00",
  "1bffffffffffffffff",
  "20",
  "3bffffffffffffffff",
  "40",
  "4100",
  "5900ff",
  "5f4100ff",
  "5b7fffffffffffffff",
  "60",
  "6161",
  "7f6161ff",
  "7bffffffffffffffff",
  "80",
  "8181818181818100",
  "9f00ff",
  "9affffffff",
  "a0",
  "a10000",
  "a200000000",
  "bf0000ff",
  "bf00",
  "bbffffffffffffffff",
  "c000",
  "d28440a04040",
  "d9d9f7a0",
  "f4",
  "f6",
  "f7",
  "f97e00",
  "fb7ff8000000000000",
  "ff",
  "1c",
].map((hex) => fromHex(hex)); // deno-fmt-ignore

/** A document whose payload's map is changed: entries, keys, values, heads and ends. */
export function mutatePayload(random: Random): Bytes {
  const entries = Object.entries(fields()).map(([key, value]): Entry => [
    encodeCanonical(key),
    key === "pcrs" && random.once(3) ? pcrs(random) : encodeCanonical(value),
  ]);
  for (let changes = 1 + random.below(3); changes > 0; changes--) changeEntry(entries, random);
  const n = entries.length + (random.once(12) ? random.pick([-1, 1, 100]) : 0);
  const body = concat(...entries.flat());
  const payload = random.once(4)
    ? concat(fromHex("bf"), body, random.once(4) ? new Uint8Array(0) : fromHex("ff"))
    : concat(mapHead(n, random), body, random.once(16) ? random.bytes(1) : new Uint8Array(0));
  return documentOf(payload);
}

function mapHead(n: number, random: Random): Bytes {
  const count = Math.max(0, n);
  return count > 23 || random.once(16)
    ? Uint8Array.from([0xb8, count])
    : Uint8Array.from([0xa0 + count]);
}

function changeEntry(entries: Entry[], random: Random): void {
  if (entries.length === 0) return;
  const at = random.below(entries.length);
  const entry = entries[at]!;
  switch (random.below(6)) {
    case 0:
      entries.splice(at, 1);
      break;
    case 1:
      entries.splice(random.below(entries.length), 0, [entry[0], random.pick(entries)[1]]);
      break;
    case 2:
      entries.splice(random.below(entries.length), 0, ...entries.splice(at, 1));
      break;
    case 3:
      entry[1] = random.pick(ITEMS);
      break;
    case 4:
      entry[random.below(2)] = random.once(2) ? random.pick(ITEMS) : random.pick(entries)[1];
      break;
    default: {
      const part = random.below(2);
      entry[part] = mutateBytes(entry[part]!, random);
    }
  }
}

function pcrs(random: Random): Bytes {
  const map = new Map<unknown, unknown>(PCRS);
  map.set(
    random.pick([0, 2, 16, 31, 32, -1, 2 ** 40, "0"]),
    random.pick([new Uint8Array(48), new Uint8Array(47), new Uint8Array(64), null, 0]),
  );
  if (random.once(2)) map.delete(random.below(3));
  return encodeCanonical(map);
}

/** A document with one certificate changed as a DER tree; most are signed again by their issuer. */
export function mutateCertificate(random: Random): Bytes {
  const level = random.pick([1, 1, 2, 2, 2, 0] as const);
  const issuer = PARTIES[level === 2 ? 1 : 0];
  let der: Bytes;
  if (random.once(4)) { // the whole certificate, its signature as it was
    const tree = readDer(seal(certificateTree(level), issuer));
    mutateDer(tree, random);
    der = writeDer(tree);
  } else {
    const tbs = certificateTree(level);
    for (let changes = 1 + random.below(2); changes > 0; changes--) mutateDer(tbs, random);
    der = seal(tbs, issuer);
  }
  const changed = fields();
  if (level === 2) changed.certificate = der;
  else (changed.cabundle as Bytes[])[level] = der;
  if (random.once(8)) reorderBundle(changed.cabundle as Bytes[], random);
  return documentOf(encodeCanonical(changed));
}

function reorderBundle(bundle: Bytes[], random: Random): void {
  if (random.once(2)) bundle.reverse();
  else bundle.splice(random.below(3), random.below(2), random.pick(bundle));
}
