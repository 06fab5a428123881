/**
 * The beacon of test mode: a chain of our own, of the same form as drand's quicknet, whose secret key lies on this
 * machine. Whoever can read the data directory can compute every round in advance, so it proves nothing.
 *
 * @module
 */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import {
  BEACON_DST,
  type BeaconChain,
  beaconMessage,
  chainHashOf,
  roundAt,
  timeOfRound,
} from "../enclave/protocol/drand.ts";

const KEY_FILE = "simulated-beacon.key";

/** Why a local beacon gives no signature or does not open. */
export type BeaconFault = "future_round" | "no_such_round" | "bad_key_file";

/** The error of a local beacon: `retryable` where time alone mends it. */
export class BeaconError extends Error {
  /** Stable reason. */
  readonly code: BeaconFault;
  /** Whether the same call succeeds later. */
  readonly retryable: boolean;

  /** An error for reason `code`. */
  constructor(code: BeaconFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BeaconError";
    this.code = code;
    this.retryable = code === "future_round";
  }
}

/** When a local chain starts, how fast it runs, and by whose clock. */
export interface LocalBeaconOptions {
  /** When round 1 is due, in milliseconds since the Unix epoch. */
  readonly genesisMs: number;
  /** Milliseconds from one round to the next. */
  readonly periodMs: number;
  /** The time, in milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** A chain whose rounds appear when the injected clock says that they are due. SIMULATED. */
export class LocalBeacon {
  /** What a badge and a log call it. */
  readonly name: string = "SIMULATED local beacon";
  /** The chain that its signatures verify under. */
  readonly chain: BeaconChain;
  readonly #secretKey: Bytes;
  readonly #now: () => number;

  private constructor(secretKey: Bytes, options: LocalBeaconOptions) {
    const { genesisMs, periodMs } = options;
    const publicKey = bls12_381.shortSignatures.getPublicKey(secretKey).toBytes() as Bytes;
    const chainHash = chainHashOf(publicKey, genesisMs, periodMs);
    this.chain = { chainHash, publicKey, genesisMs, periodMs };
    this.#secretKey = secretKey;
    this.#now = options.now;
  }

  /**
   * The beacon of `directory`, whose key is made there (mode 0600) where there is none yet.
   *
   * @throws {BeaconError} `bad_key_file` where the key file is not one, or readable by others than its owner.
   * @throws {RangeError} where genesis or period is not a whole number of milliseconds, or the period not positive.
   */
  static async open(directory: string, options: LocalBeaconOptions): Promise<LocalBeacon> {
    const { genesisMs, periodMs } = options;
    if (!Number.isSafeInteger(genesisMs) || genesisMs < 0) {
      throw new RangeError(`Cannot open a beacon as 'genesisMs' must be whole: it is ${genesisMs}`);
    }
    if (!Number.isSafeInteger(periodMs) || periodMs < 1) {
      throw new RangeError(
        `Cannot open a beacon as 'periodMs' must be positive: it is ${periodMs}`,
      );
    }
    const path = `${directory}/${KEY_FILE}`;
    await createKey(path);
    return new LocalBeacon(await readKey(path), options);
  }

  /** The newest round that is due, or 0 before the first one. */
  latestRound(): bigint {
    return roundAt(this.chain, this.#now());
  }

  /**
   * The signature of `round`, 48 bytes: always the same ones.
   *
   * @throws {BeaconError} `future_round` before the round is due, `no_such_round` below 1.
   */
  signature(round: bigint): Bytes {
    if (round < 1n) throw new BeaconError("no_such_round", `There is no round ${round}`);
    const latest = this.latestRound();
    if (round > latest) {
      const due = round - latest < 1n << 32n ? ` before ${timeOfRound(this.chain, round)} ms` : "";
      throw new BeaconError("future_round", `Cannot give round ${round}${due}: it is not yet due`);
    }
    const { hash, sign, Signature } = bls12_381.shortSignatures;
    return Signature.toBytes(
      sign(hash(beaconMessage(round), BEACON_DST), this.#secretKey),
    ) as Bytes;
  }
}

/** Make the key file where there is none. It appears whole, and of two makers one wins. */
async function createKey(path: string): Promise<void> {
  const draft = `${path}.${crypto.randomUUID()}`;
  const secretKey = bls12_381.utils.randomSecretKey();
  await Deno.writeTextFile(draft, toHex(secretKey), { createNew: true, mode: 0o600 });
  try {
    await Deno.link(draft, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    await Deno.remove(draft);
  }
}

async function readKey(path: string): Promise<Bytes> {
  const { isFile, mode, size } = await Deno.lstat(path);
  if (!isFile || size !== 64) {
    throw new BeaconError("bad_key_file", `Cannot use ${path}: it is not a file of 64 hex digits`);
  }
  if (mode !== null && (mode & 0o077) !== 0) {
    throw new BeaconError(
      "bad_key_file",
      `Cannot use ${path}: others can read it, set its mode to 0600`,
    );
  }
  try {
    const key = fromHex(await Deno.readTextFile(path), 32);
    bls12_381.shortSignatures.getPublicKey(key); // refuses zero
    return key;
  } catch (cause) {
    throw new BeaconError("bad_key_file", `Cannot use ${path}: it holds no key`, { cause });
  }
}
