/**
 * A SIMULATED chain whose every byte follows from constants: keys, serial numbers and signatures (RFC 6979), so
 * that a seed repeats a fuzzing run exactly.
 *
 * @module
 */
import { p384 } from "@noble/curves/nist.js";
import { type Bytes, fromHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { ES384_PROTECTED, sigStructure } from "../../enclave/protocol/cose.ts";
import { type DerNode, node, writeDer } from "./der_tree.ts";

/** When every certificate is valid and every document issued. */
export const ISSUED = Date.UTC(2026, 0, 1);

const ECDSA_SHA384 = () => node(0x30, node(0x06, fromHex("2a8648ce3d040303")));
const SPKI_HEAD = fromHex("3076301006072a8648ce3d020106052b81040022036200");

/** A name and its key. */
export interface Party {
  /** Common name. */
  readonly name: string;
  /** P-384, 48 bytes: known to everybody. */
  readonly secret: Bytes;
}

const party = (name: string, value: number): Party => ({
  name,
  secret: new Uint8Array(48).fill(value),
});

/** Root, issuer and leaf. */
export const PARTIES: readonly [Party, Party, Party] = [
  party("root", 1),
  party("issuer", 2),
  party("leaf", 3),
];

/** ECDSA with SHA-384, r ‖ s. */
export function signRaw(message: Uint8Array, by: Party): Bytes {
  return new Uint8Array(p384.sign(message, by.secret, { lowS: false }));
}

/** The TBSCertificate of party `level` (0 root, 1 issuer, 2 leaf), signed by the party above. */
export function certificateTree(level: 0 | 1 | 2): DerNode {
  const ca = level < 2;
  const name = ({ name }: Party) =>
    node(0x30, node(0x31, node(0x30, node(0x06, fromHex("550403")), node(0x0c, utf8(name)))));
  const extension = (oid: string, critical: boolean, value: DerNode) =>
    node(
      0x30,
      node(0x06, fromHex(oid)),
      ...(critical ? [node(0x01, fromHex("ff"))] : []),
      node(0x04, writeDer(value)),
    );
  const constraints = !ca
    ? node(0x30)
    : level === 0
    ? node(0x30, node(0x01, fromHex("ff")))
    : node(0x30, node(0x01, fromHex("ff")), node(0x02, fromHex("00")));
  const point = new Uint8Array(p384.getPublicKey(PARTIES[level].secret, false));
  return node(
    0x30,
    node(0xa0, node(0x02, fromHex("02"))),
    node(0x02, fromHex("41")),
    ECDSA_SHA384(),
    name(PARTIES[level === 0 ? 0 : level === 1 ? 0 : 1]),
    node(0x30, node(0x17, utf8("250101000000Z")), node(0x17, utf8("270101000000Z"))),
    name(PARTIES[level]),
    { tag: 0x30, value: spkiBody(point) },
    node(
      0xa3,
      node(
        0x30,
        extension("551d13", true, constraints),
        extension("551d0f", ca, node(0x03, fromHex(ca ? "0204" : "0780"))),
      ),
    ),
  );
}

function spkiBody(point: Bytes): Bytes {
  return new Uint8Array([...SPKI_HEAD.subarray(2), ...point]);
}

/** The certificate over `tbs`, signed by `issuer`. */
export function seal(tbs: DerNode, issuer: Party): Bytes {
  const signature = signRaw(writeDer(tbs), issuer);
  const integer = (bytes: Uint8Array) => {
    const first = bytes.findIndex((byte) => byte !== 0);
    const value = bytes.subarray(first);
    return node(0x02, new Uint8Array(value[0]! < 0x80 ? value : [0, ...value]));
  };
  const [r, s] = [integer(signature.subarray(0, 48)), integer(signature.subarray(48))];
  const bits = new Uint8Array([0, ...writeDer(node(0x30, r, s))]);
  return writeDer(node(0x30, tbs, ECDSA_SHA384(), node(0x03, bits)));
}

/** The sound certificates: root, issuer, leaf. */
export const CERTIFICATES: readonly [Bytes, Bytes, Bytes] = [
  seal(certificateTree(0), PARTIES[0]),
  seal(certificateTree(1), PARTIES[0]),
  seal(certificateTree(2), PARTIES[1]),
];

/** PCR0 to 15, the first three set. */
export const PCRS: ReadonlyMap<number, Bytes> = new Map(
  Array.from({ length: 16 }, (_, i) => [i, new Uint8Array(48).fill(i < 3 ? i + 1 : 0)]),
);

/** Fields of a sound payload. */
export function fields(): Record<string, unknown> {
  return {
    module_id: "fuzz-enc0",
    digest: "SHA384",
    timestamp: ISSUED,
    pcrs: PCRS,
    certificate: CERTIFICATES[2],
    cabundle: CERTIFICATES.slice(0, 2),
    public_key: fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    user_data: new Uint8Array([1, 2, 3]),
    nonce: null,
  };
}

/** A document over `payload`, signed by the leaf. */
export function documentOf(payload: Bytes): Bytes {
  const signature = signRaw(sigStructure(ES384_PROTECTED, payload), PARTIES[2]);
  return encodeCanonical([ES384_PROTECTED, new Map(), payload, signature]);
}
