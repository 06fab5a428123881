/**
 * Public randomness from drand: networks of the scheme `bls-unchained-g1-rfc9380`, of which quicknet is the one
 * that runs for everybody. A round's signature is a BLS12-381 signature in G1 (48 bytes, compressed) over
 * SHA-256 of the round as u64 big endian, hashed to the curve as RFC 9380 says; the public key lies in G2
 * (96 bytes). The round's randomness is SHA-256 of the signature. Whoever holds the chain's key can check a
 * round alone, and nobody can make a different one.
 *
 * Sources: drand.love/docs/specification and RFC 9380 §8.8.1.
 *
 * @module
 */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, fromHex, u64le } from "./bytes.ts";
import { sha256, tagged } from "./hash.ts";
import { Refusal } from "./refusal.ts";

/** Domain separation of the hash to the curve: the basic scheme of draft-irtf-cfrg-bls-signature §4.2.1, in G1. */
export const BEACON_DST = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

/** Bytes of a signature: a compressed point of G1. */
export const SIGNATURE_BYTES = 48;

/** A beacon network: what its rounds are verified and placed in time with. */
export interface BeaconChain {
  /** Its name among the ledger's hparams and window digests, 32 bytes. */
  readonly chainHash: Bytes;
  /** The group's public key: a compressed point of G2, 96 bytes. */
  readonly publicKey: Bytes;
  /** When round 1 is due, in milliseconds since the Unix epoch. */
  readonly genesisMs: number;
  /** Milliseconds from one round to the next. */
  readonly periodMs: number;
}

/** The League of Entropy's quicknet: a round every 3 seconds since 2023-08-23. */
export const QUICKNET: BeaconChain = {
  chainHash: fromHex("52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971", 32),
  publicKey: fromHex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3a" +
      "c6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5" +
      "a6e9c76a4bc09e76eae8991ef5ece45a",
    96,
  ),
  genesisMs: 1_692_803_367_000,
  periodMs: 3_000,
};

/**
 * The name of a chain of our own (test mode): `SHA-256("vramhub/local-beacon/v1" ‖ public key ‖ genesis in ms
 * u64le ‖ period in ms u64le)`. Quicknet's `chainHash` is drand's own hash of its group and is not of this form.
 */
export function chainHashOf(publicKey: Uint8Array, genesisMs: number, periodMs: number): Bytes {
  return tagged("vramhub/local-beacon/v1", publicKey, u64le(genesisMs), u64le(periodMs));
}

/** The newest round that is due at `timeMs`, or 0 before the first one. */
export function roundAt(chain: BeaconChain, timeMs: number): bigint {
  assertTime(timeMs);
  if (timeMs < chain.genesisMs) return 0n;
  return BigInt(Math.floor((timeMs - chain.genesisMs) / chain.periodMs)) + 1n;
}

/**
 * When `round` is due, in milliseconds since the Unix epoch.
 *
 * @throws {RangeError} where the round is below 1 or its time beyond what a number holds exactly.
 */
export function timeOfRound(chain: BeaconChain, round: bigint): number {
  const time = BigInt(chain.genesisMs) + (round - 1n) * BigInt(chain.periodMs);
  if (round < 1n || time > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`Cannot place a round in time: 'round' is ${round}`);
  }
  return Number(time);
}

/** The first round that is due at `timeMs` or later. */
export function firstRoundAtOrAfter(chain: BeaconChain, timeMs: number): bigint {
  assertTime(timeMs);
  if (timeMs <= chain.genesisMs) return 1n;
  return BigInt(Math.ceil((timeMs - chain.genesisMs) / chain.periodMs)) + 1n;
}

/** The first round that is due strictly after `timeMs`. */
export function firstRoundAfter(chain: BeaconChain, timeMs: number): bigint {
  return roundAt(chain, timeMs) + 1n;
}

function assertTime(timeMs: number): void {
  if (!Number.isSafeInteger(timeMs)) {
    throw new RangeError(`Cannot find a round as 'timeMs' must be whole: it is ${timeMs}`);
  }
}

/**
 * What a round's signature signs, before it is hashed to the curve: SHA-256 of the round as u64 big endian.
 *
 * @throws {RangeError} where the round is not 1 … 2^64 − 1.
 */
export function beaconMessage(round: bigint): Bytes {
  if (round < 1n || round >= 1n << 64n) {
    throw new RangeError(`Cannot hash a round as 'round' must be 1 to 2^64 - 1: it is ${round}`);
  }
  return sha256(u64le(round).reverse());
}

/**
 * Verify `signature` as that of `round` and return the round's randomness, 32 bytes.
 *
 * @throws {Refusal} with code `bad_beacon` where the signature has another length, is no point of the group, is
 * the identity, or is not the chain's for this round, and where the chain's key or the round itself is not valid.
 */
export function verifyBeacon(chain: BeaconChain, round: bigint, signature: Uint8Array): Bytes {
  if (signature.length !== SIGNATURE_BYTES) {
    throw bad(`a signature has 48 bytes, this one ${signature.length}`, "signature");
  }
  if (round < 1n || round >= 1n << 64n) throw bad(`there is no round ${round}`, "round");
  const point = decodePoint(() => bls12_381.shortSignatures.Signature.fromBytes(signature));
  if (point === undefined) throw bad("it is no point of the group", "signature");
  const key = decodePoint(() => bls12_381.G2.Point.fromBytes(chain.publicKey));
  if (key === undefined) throw bad("the chain's key is no point of the group", "publicKey");
  const message = bls12_381.shortSignatures.hash(beaconMessage(round), BEACON_DST);
  if (!bls12_381.shortSignatures.verify(point, message, key)) {
    throw bad(`it is not the chain's signature of round ${round}`, "signature");
  }
  return sha256(signature);
}

/** The decoded point, or undefined where it is off the curve, outside the prime-order group, or the identity. */
function decodePoint<P extends { assertValidity(): void; is0(): boolean }>(
  decode: () => P,
): P | undefined {
  try {
    const point = decode();
    point.assertValidity();
    return point.is0() ? undefined : point;
  } catch {
    return undefined;
  }
}

function bad(why: string, field: string): Refusal {
  return new Refusal("bad_beacon", `Cannot accept a beacon: ${why}`, field);
}
