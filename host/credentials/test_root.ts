/**
 * A SIMULATED root of trust in a validator's data directory, for `--test-mode`: it stands where AWS's root
 * stands, and proves nothing about hardware. A verifier accepts it only under a policy that names it.
 *
 * @module
 */
import { join } from "node:path";
import { createCertificate, type Signer } from "../../attestation/test_pki.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { asMap, bytesUpTo, decodeStrict, encodeCanonical } from "../../enclave/protocol/cbor.ts";

/** The file that holds the root and its issuing CA with their private keys; mode 0600. */
export const TEST_ROOT_FILE = "simulated-test-root.cbor";
/** Common name of every simulated root. */
export const TEST_ROOT_NAME = "VRAM HUB SIMULATED TEST ROOT";
const ISSUER_NAME = "VRAM HUB SIMULATED TEST ISSUER";

const MAX_FILE_BYTES = 8_192;
const LIMITS = { maxBytes: MAX_FILE_BYTES, maxDepth: 1, maxItems: 20 };
const SHAPE = {
  root_certificate: bytesUpTo(1_024, 1),
  root_pkcs8: bytesUpTo(512, 1),
  issuer_certificate: bytesUpTo(1_024, 1),
  issuer_pkcs8: bytesUpTo(512, 1),
};

// Wide, so that a test with a virtual clock finds the authorities valid; UTCTime ends in 2049.
const AUTHORITY_VALIDITY = { notBefore: 0, notAfter: Date.UTC(2049, 11, 31, 23, 59, 59) };
const DAY_MS = 86_400_000;
/** A real leaf lives three hours; a simulated judge gets its leaf once, at its start. */
const LEAF_LIFETIME_MS = 365 * DAY_MS;
const P384 = { name: "ECDSA", namedCurve: "P-384" };

/** What a simulated judge signs its documents with. */
export interface Leaf {
  /** The leaf's private key, PKCS #8 DER: a secret of the judge's process. */
  readonly pkcs8: Bytes;
  /** The leaf's certificate, DER. */
  readonly certificate: Bytes;
  /** The issuing certificates, DER: root first, the leaf's issuer last. */
  readonly cabundle: readonly Bytes[];
}

/** Options of `issueLeaf`. */
export interface LeafOptions {
  /** First moment of validity in milliseconds; default: the current time. Whole seconds are written. */
  readonly now?: number;
  /** Default 365 days, and never beyond the issuer's own validity. */
  readonly lifetimeMs?: number;
}

/** A simulated root that issues leaves. */
export interface TestRoot {
  /** The root's certificate, DER: what a policy of kind `simulated` names. */
  readonly root: Bytes;
  /** A new key and certificate for one judge. */
  issueLeaf(options?: LeafOptions): Promise<Leaf>;
}

/**
 * Make a root and an issuing CA, and keep them in `dir` (made where it is missing, mode 0700).
 *
 * @throws {Deno.errors.AlreadyExists} where `dir` holds one already.
 */
export async function createTestRoot(dir: string): Promise<TestRoot> {
  const root = await createCertificate({ name: TEST_ROOT_NAME, ca: true, ...AUTHORITY_VALIDITY });
  const issuer = await createCertificate({
    name: ISSUER_NAME,
    issuer: root,
    ca: true,
    pathLength: 0,
    ...AUTHORITY_VALIDITY,
  });
  const bytes = encodeCanonical({
    root_certificate: root.certificate,
    root_pkcs8: await exportPrivate(root.keys),
    issuer_certificate: issuer.certificate,
    issuer_pkcs8: await exportPrivate(issuer.keys),
  });
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  await writeOnce(join(dir, TEST_ROOT_FILE), bytes);
  return authority(root.certificate, issuer);
}

/**
 * Load the root that `createTestRoot` left in `dir`.
 *
 * @throws {Deno.errors.NotFound} where there is none.
 * @throws {TypeError} where others can read its private keys.
 * @throws {Refusal} where the file is not what was written.
 */
export async function loadTestRoot(dir: string): Promise<TestRoot> {
  const path = join(dir, TEST_ROOT_FILE);
  const { mode, size } = await Deno.lstat(path);
  if (mode !== null && (mode & 0o077) !== 0) {
    throw new TypeError(
      `Cannot load the test root as '${TEST_ROOT_FILE}' holds private keys: make its mode 0600`,
    );
  }
  if (size > MAX_FILE_BYTES) {
    throw new TypeError(`Cannot load the test root as '${TEST_ROOT_FILE}' is ${size} bytes long`);
  }
  const file = asMap(decodeStrict(await Deno.readFile(path), LIMITS), SHAPE);
  return authority(file.root_certificate, {
    name: ISSUER_NAME,
    certificate: file.issuer_certificate,
    keys: { privateKey: await importPrivate(file.issuer_pkcs8) },
  });
}

/** Load the root of `dir`, or make one where there is none. */
export async function openTestRoot(dir: string): Promise<TestRoot> {
  try {
    return await loadTestRoot(dir);
  } catch (e) {
    if (!(e instanceof Deno.errors.NotFound)) throw e;
    return await createTestRoot(dir);
  }
}

function authority(root: Bytes, issuer: Signer & { readonly certificate: Bytes }): TestRoot {
  return {
    root,
    async issueLeaf({ now = Date.now(), lifetimeMs = LEAF_LIFETIME_MS } = {}): Promise<Leaf> {
      const leaf = await createCertificate({
        name: "VRAM HUB SIMULATED JUDGE",
        issuer,
        ca: false,
        notBefore: Math.floor(now / 1_000) * 1_000,
        notAfter: Math.min(now + lifetimeMs, AUTHORITY_VALIDITY.notAfter),
      });
      return {
        pkcs8: await exportPrivate(leaf.keys),
        certificate: leaf.certificate,
        cabundle: [root, issuer.certificate],
      };
    },
  };
}

/** Whole or not at all, and never over another: a judge may hold leaves of the first one. */
async function writeOnce(path: string, bytes: Bytes): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeFile(temporary, bytes, { createNew: true, mode: 0o600 });
  try {
    await Deno.link(temporary, path);
  } finally {
    await Deno.remove(temporary);
  }
}

async function exportPrivate(keys: Signer["keys"]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
}

async function importPrivate(pkcs8: Bytes): Promise<CryptoKey> {
  return await crypto.subtle.importKey("pkcs8", pkcs8, P384, false, ["sign"]);
}
