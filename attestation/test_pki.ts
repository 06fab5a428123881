/**
 * A SIMULATED public key infrastructure with the shape of AWS's: P-384, ecdsa-with-SHA384, short chains. For
 * tests, and for the test root of a simulated judge. Nothing made here proves hardware, `mod.ts` does not
 * export it, and `verify` accepts it only under a policy that names the simulated root.
 *
 * @module
 */
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { type Bytes, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../enclave/protocol/cbor.ts";
import { encodeCoseSign1 } from "../enclave/protocol/cose.ts";

/** What signs: a name and a private key. */
export interface Signer {
  /** The subject's common name. */
  readonly name: string;
  /** The signing half of its keys. */
  readonly keys: Pick<CryptoKeyPair, "privateKey">;
}

/** A certificate with its keys. */
export interface Identity extends Signer {
  /** The certificate, DER. */
  readonly certificate: Bytes;
  /** Its key pair, extractable. */
  readonly keys: CryptoKeyPair;
}

/** An extension by its parts. */
export interface TestExtension {
  /** The object identifier in dots. */
  readonly oid: string;
  /** Whether a verifier that does not know it must refuse. */
  readonly critical: boolean;
  /** The DER inside the extension's OCTET STRING. */
  readonly value: Bytes;
}

/** How to make a certificate; the defaults are those of a sound one. */
export interface CertificateOptions {
  /** Common name of the subject. */
  readonly name: string;
  /** Who signs; absent: itself. */
  readonly issuer?: Signer;
  /** Issuer name to write instead of the issuer's own. */
  readonly issuerName?: string;
  /** A CA with keyCertSign, or a leaf with digitalSignature. */
  readonly ca: boolean;
  /** Only for a CA. */
  readonly pathLength?: number;
  /** Key usages instead of the usual ones: the bits of `KeyUsageFlags` of `@peculiar/x509`. */
  readonly usages?: number;
  /** Without basicConstraints and keyUsage, so that a test can bring its own. */
  readonly bare?: boolean;
  /** More extensions. */
  readonly extensions?: readonly TestExtension[];
  /** First moment of validity, milliseconds (whole seconds are written). */
  readonly notBefore: number;
  /** Last moment of validity, milliseconds (whole seconds are written). */
  readonly notAfter: number;
  /** Curve of the subject's key; default P-384. */
  readonly curve?: "P-256" | "P-384" | "P-521";
  /** Hash of the signature; default SHA-384. */
  readonly hash?: "SHA-256" | "SHA-384";
  /** The subject's keys; default: new ones. */
  readonly keys?: CryptoKeyPair;
}

/** A new extractable ECDSA key pair. */
export async function createKeys(curve: string = "P-384"): Promise<CryptoKeyPair> {
  const algorithm = { name: "ECDSA", namedCurve: curve };
  return await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** A certificate under `options.issuer`, with a random serial number of 16 bytes. */
export async function createCertificate(options: CertificateOptions): Promise<Identity> {
  const { name, ca, issuer, hash = "SHA-384" } = options;
  const keys = options.keys ?? await createKeys(options.curve);
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = (serial[0]! & 0x7f) | 0x40; // positive, and no leading zero
  // Real leaves have a keyUsage that is not critical.
  const usual = ca ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: toHex(serial),
    subject: `CN=${name}`,
    issuer: `CN=${options.issuerName ?? issuer?.name ?? name}`,
    notBefore: new Date(options.notBefore),
    notAfter: new Date(options.notAfter),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: { name: "ECDSA", hash },
    extensions: [
      ...(options.bare ? [] : [
        new BasicConstraintsExtension(ca, ca ? options.pathLength : undefined, true),
        new KeyUsagesExtension(options.usages ?? usual, ca),
      ]),
      ...(options.extensions ?? []).map(({ oid, critical, value }) =>
        new Extension(oid, critical, value)
      ),
    ],
  }, crypto);
  return { name, certificate: new Uint8Array(certificate.rawData), keys };
}

/** The fields of a payload; bytes or anything else that CBOR encodes, so that tests can break them. */
export type PayloadFields = Record<string, unknown>;

/** Fields of a sound payload for `leaf` under `cabundle` (root first), stamped `timestamp`. */
export function payloadFields(
  leaf: Identity,
  cabundle: readonly Identity[],
  timestamp: number,
): PayloadFields {
  return {
    module_id: "test-enc0",
    digest: "SHA384",
    timestamp,
    pcrs: new Map(
      Array.from({ length: 16 }, (_, i) => [i, new Uint8Array(48).fill(i < 3 ? i + 1 : 0)]),
    ),
    certificate: leaf.certificate,
    cabundle: cabundle.map((identity) => identity.certificate),
    public_key: fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    user_data: new Uint8Array([1, 2, 3]),
    nonce: new Uint8Array(16).fill(9),
  };
}

/** A document over `payload`: bytes as they are, fields in canonical CBOR. */
export async function signDocument(
  payload: PayloadFields | Bytes,
  privateKey: CryptoKey,
  hash: string = "SHA-384",
): Promise<Bytes> {
  const bytes = payload instanceof Uint8Array ? payload : encodeCanonical(payload);
  return await encodeCoseSign1(
    bytes,
    async (toBeSigned) =>
      new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash }, privateKey, toBeSigned)),
  );
}

/** A chain with the shape of a real one: root, issuer, leaf. */
export interface TestChain {
  /** Root first, the leaf's issuer last. */
  readonly cabundle: readonly [Identity, Identity];
  /** The certificate that signs documents. */
  readonly leaf: Identity;
}

/** Changes to each certificate of a test chain. */
export interface TestChainDefects {
  /** The root. */
  readonly root?: Partial<CertificateOptions>;
  /** The issuer of the leaf. */
  readonly issuer?: Partial<CertificateOptions>;
  /** The leaf. */
  readonly leaf?: Partial<CertificateOptions>;
}

/** A chain that is valid from an hour before `now` to an hour after, but for `defects`. */
export async function createTestChain(
  now: number,
  defects: TestChainDefects = {},
): Promise<TestChain> {
  const validity = { notBefore: now - 3_600_000, notAfter: now + 3_600_000 };
  const root = await createCertificate({ name: "root", ca: true, ...validity, ...defects.root });
  const issuer = await createCertificate({
    name: "issuer",
    issuer: root,
    ca: true,
    pathLength: 0,
    ...validity,
    ...defects.issuer,
  });
  const leaf = await createCertificate({
    name: "leaf",
    issuer,
    ca: false,
    ...validity,
    ...defects.leaf,
  });
  return { cabundle: [root, issuer], leaf };
}
