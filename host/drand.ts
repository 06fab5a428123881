/**
 * drand over HTTP, from several relays at once. None of them is trusted: every answer is verified under the chain's
 * key, so that a relay can withhold a round and nothing else. Nobody chooses what stands in for a missing round:
 * where no relay answers, everybody waits, and the window passes by the ledger's rule.
 *
 * Source: drand's HTTP API, `GET /{chain hash}/public/{round}`.
 *
 * @module
 */
import { type Bytes, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { type BeaconChain, timeOfRound, verifyBeacon } from "../enclave/protocol/drand.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { pause } from "./ledger/clock.ts";
import { type Log, reason } from "./ledger/log.ts";
import { type BeaconSource, BeaconUnavailable } from "./ledger/randomness.ts";
import { readBounded } from "./store/bounded.ts";

const TARGET = "vramhub_drand";
/** The relays that serve quicknet to everybody. */
export const PUBLIC_RELAYS: readonly string[] = [
  "https://api.drand.sh",
  "https://drand.cloudflare.com",
  "https://api2.drand.sh",
  "https://api3.drand.sh",
];
/** Most bytes of an answer; a round has about 300. */
const MAX_ANSWER = 4_096;
/** Rounds that are remembered. */
const KEPT = 64;
/** Periods after its time at which every relay has a round. */
const SPREAD = 3;

/** How relays are asked. */
export interface DrandOptions {
  /** Their addresses, in this order; default {@link PUBLIC_RELAYS}. */
  readonly relays?: readonly string[];
  /** Log lines. */
  readonly log: Log;
  /** The time, in milliseconds since the Unix epoch. */
  readonly now?: () => number;
  /** Milliseconds in which a relay must have answered; default 5,000. */
  readonly patienceMs?: number;
  /** Milliseconds after which the next relay is asked besides; default 1,000. Where one fails, it is asked at once. */
  readonly hedgeMs?: number;
}

/** A chain's relays. */
export class DrandRelays implements BeaconSource {
  /** See {@link BeaconSource}. */
  readonly chain: BeaconChain;
  readonly #options: Required<DrandOptions>;
  /** Rounds that were verified, and those that are being asked for. */
  readonly #rounds = new Map<bigint, Promise<Bytes>>();
  /** Relays that gave a wrong signature: asked where no other answers. */
  readonly #liars = new Set<string>();
  #silent = false;

  /** Asks nobody yet. @throws {RangeError} where there is no relay, or one is not the URL of a service. */
  constructor(chain: BeaconChain, options: DrandOptions) {
    this.chain = chain;
    this.#options = {
      relays: PUBLIC_RELAYS,
      now: () => Date.now(),
      patienceMs: 5_000,
      hedgeMs: 1_000,
      ...options,
    };
    const { relays } = this.#options;
    if (relays.length === 0) throw new RangeError("Cannot ask drand: there is no relay");
    for (const relay of relays) {
      if (!/^https?:$/.test(URL.parse(relay)?.protocol ?? "")) {
        throw new RangeError(
          `Cannot ask drand at ${JSON.stringify(relay)}: it is not the URL of a service`,
        );
      }
    }
  }

  /**
   * The verified signature of `round`, 48 bytes: the first valid answer.
   *
   * @throws {BeaconUnavailable} where no relay gives it.
   * @throws {RangeError} where there is no such round.
   */
  async signature(round: bigint): Promise<Bytes> {
    const due = timeOfRound(this.chain, round);
    let answer = this.#rounds.get(round);
    if (answer === undefined) {
      answer = this.#ask(round, due);
      this.#rounds.set(round, answer);
      if (this.#rounds.size > KEPT) this.#rounds.delete(this.#rounds.keys().next().value!);
      answer.catch(() => this.#rounds.delete(round));
    }
    return (await answer).slice();
  }

  async #ask(round: bigint, due: number): Promise<Bytes> {
    const { hedgeMs, log, now, relays } = this.#options;
    const order = relays.toSorted((a, b) =>
      Number(this.#liars.has(a)) - Number(this.#liars.has(b))
    );
    const over = new AbortController();
    const failed = order.map(() => Promise.withResolvers<void>());
    const reasons: string[] = [];
    const tries = order.map(async (relay, i) => {
      if (i > 0) await Promise.race([failed[i - 1]!.promise, pause(i * hedgeMs, over.signal)]);
      over.signal.throwIfAborted();
      try {
        return { relay, signature: await this.#verified(relay, round, over.signal) };
      } catch (error) {
        reasons.push(`${relay}: ${reason(error)}`);
        failed[i]!.resolve();
        throw error;
      }
    });
    try {
      const { relay, signature } = await Promise.any(tries);
      if (this.#silent) {
        log("info", TARGET, "A drand relay answers again", {
          relay,
          round: Number(round),
        });
      }
      this.#silent = false;
      return signature;
    } catch {
      // Just after its time a round is on its way to the relays.
      if (!this.#silent && now() >= due + SPREAD * this.chain.periodMs) {
        this.#silent = true;
        log(
          "warn",
          TARGET,
          "No drand relay answers: everybody waits, and a window without its randomness is skipped by the ledger",
          { round: Number(round), reason: reasons.join("; ") },
        );
      }
      throw new BeaconUnavailable(`Cannot get round ${round} of drand: ${reasons.join("; ")}`);
    } finally {
      over.abort();
    }
  }

  async #verified(relay: string, round: bigint, over: AbortSignal): Promise<Bytes> {
    const signature = await this.#fetch(relay, round, over);
    try {
      verifyBeacon(this.chain, round, signature);
    } catch (error) {
      if (error instanceof Refusal && !this.#liars.has(relay)) {
        this.#liars.add(relay);
        const { log } = this.#options;
        log("warn", TARGET, "Relay skipped: its signature is wrong", {
          relay,
          round: Number(round),
          reason: error.message,
        });
      }
      throw error;
    }
    return signature;
  }

  async #fetch(relay: string, round: bigint, over: AbortSignal): Promise<Bytes> {
    const { patienceMs } = this.#options;
    const url = `${relay.replace(/\/+$/, "")}/${toHex(this.chain.chainHash)}/public/${round}`;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new Error(`no answer within ${patienceMs} ms`)),
      patienceMs,
    );
    try {
      const signal = AbortSignal.any([over, late.signal]);
      const response = await fetch(url, { redirect: "manual", signal });
      if (response.status !== 200 || response.body === null) {
        await response.body?.cancel();
        throw new Error(`it answered ${response.status}`);
      }
      return decodeRound(await readBounded(response.body, MAX_ANSWER), round);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The signature in a relay's answer. */
function decodeRound(bytes: Bytes, round: bigint): Bytes {
  let answer: { round?: unknown; signature?: unknown } | null;
  try {
    answer = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Error("its answer is no JSON");
  }
  if (answer?.round !== Number(round)) throw new Error("its answer is not of this round");
  if (typeof answer.signature !== "string" || !/^[0-9a-f]{96}$/.test(answer.signature)) {
    throw new Error("its answer has no signature");
  }
  return fromHex(answer.signature, 48);
}
