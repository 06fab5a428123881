/**
 * Executes calls, each once. One transaction of a wallet is under way at a time, since each takes all coins as
 * gas. Its signed bytes are kept before they are sent; where no answer comes, the same bytes are sent again and
 * the outcome is read back by digest. Another transaction follows only when the first is known to be dead: an
 * input was used up by somebody else, or its epoch is over.
 *
 * @module
 */
import type { SuiGrpcClient } from "@mysten/sui/grpc";
import { Transaction } from "@mysten/sui/transactions";
import type { Call } from "./calls/call.ts";
import { SuiError } from "./errors.ts";
import { callKey, currentEpoch, failure, sign } from "./gas.ts";
import type { Executed, Outbox, Signed } from "./outbox.ts";
import { codeOf, faultError, sendFault } from "./rpc_error.ts";
import type { StateReader } from "./state_reader.ts";
import { inTurn } from "./turns.ts";
import type { Wallet } from "./wallet.ts";

/** How long to try. */
export interface Patience {
  /** For one request. */
  readonly timeoutMs: number;
  /** Times that the same bytes are sent before the call gives up for now. */
  readonly sends: number;
  /** Times that a call is built anew after it is known that nothing was executed. */
  readonly rebuilds: number;
  /** Waits before the next try. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** Suits windows of minutes. */
export const PATIENCE: Patience = {
  timeoutMs: 20_000,
  sends: 5,
  rebuilds: 4,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** What an executor works with. */
export interface ExecutorParts {
  /** The node. */
  readonly client: SuiGrpcClient;
  /** Its state. */
  readonly reader: StateReader;
  /** Signs and pays. */
  readonly wallet: Wallet;
  /** Keeps what was signed. */
  readonly outbox: Outbox;
  /** How long to try. */
  readonly patience: Patience;
}

type Fate = { readonly executed: Executed } | { readonly failed: Error } | "dead";

/** Executes one wallet's calls, one after the other. */
export class Executor {
  readonly #parts: ExecutorParts;

  /** Executes with `parts`. */
  constructor(parts: ExecutorParts) {
    this.#parts = parts;
  }

  /**
   * Execute the call that `make` builds; it is asked again where coins have moved on meanwhile.
   *
   * @throws {LedgerError} where the contracts refuse.
   * @throws {SuiError} everything else; `retryable` says whether the same call may be made again.
   */
  run(make: () => Promise<Call> | Call): Promise<Executed> {
    return inTurn(this.#parts.wallet.address, () => this.#run(make));
  }

  async #run(make: () => Promise<Call> | Call): Promise<Executed> {
    const { outbox, patience } = this.#parts;
    await this.#settle();
    for (let tries = 0;; tries++) {
      try {
        const call = await make();
        const earlier = outbox.take(callKey(call));
        if (earlier !== null) return earlier;
        const signed = await sign(call, { ...this.#parts, timeoutMs: patience.timeoutMs });
        outbox.put(signed);
        const fate = await this.#send(signed, true);
        outbox.drop(signed.digest);
        if (fate === "dead") throw new SuiError("stale_objects", "Coins have moved on meanwhile");
        if ("failed" in fate) throw fate.failed;
        return fate.executed;
      } catch (error) {
        const again = error instanceof SuiError && tries < patience.rebuilds &&
          (error.code === "stale_objects" || error.code === "congested" ||
            error.code === "expired");
        if (!again) throw error;
      }
      await patience.sleep(200 * 2 ** tries);
    }
  }

  /** First find out what became of everything that was sent before. */
  async #settle(): Promise<void> {
    const { outbox } = this.#parts;
    for (const signed of outbox.pending()) {
      const fate = await this.#send(signed, false);
      if (fate !== "dead" && "executed" in fate) outbox.keep(fate.executed);
      else outbox.drop(signed.digest); // failed: whoever calls the same again is told by the simulation
    }
  }

  /** Send the same bytes until it is known what became of them; `fresh`: they were never sent before. */
  async #send(signed: Signed, fresh: boolean): Promise<Fate> {
    const { client, patience } = this.#parts;
    let first = fresh;
    let last: unknown;
    for (let sends = 0; sends < patience.sends; sends++) {
      if (sends > 0) await patience.sleep(100 * 2 ** sends);
      try {
        const result = await client.core.executeTransaction({
          transaction: signed.bytes,
          signatures: [signed.signature],
          include: { effects: true, events: true },
          signal: AbortSignal.timeout(patience.timeoutMs),
        });
        return this.#fateOf(result, signed.digest);
      } catch (error) {
        if (error instanceof SuiError) throw error;
        last = error;
        const fault = sendFault(error);
        // The first answer that is a refusal is the whole story; a later one may be about our own success.
        const found = first && fault !== "unknown" ? null : await this.#lookUp(signed.digest);
        if (found !== null) return found;
        if (fault === "locked") throw faultError("locked", error); // stays pending: either may win
        if (fault !== "unknown" && (first || await this.#isDead(signed))) {
          if (fault === "stale") return "dead";
          this.#parts.outbox.drop(signed.digest);
          throw faultError(fault, error);
        }
        first = false;
      }
    }
    if (await this.#isDead(signed)) return "dead";
    throw new SuiError(
      "outcome_unknown",
      `Transaction ${signed.digest} was sent and not answered; the same bytes will be sent again`,
      { cause: last, digest: signed.digest },
    );
  }

  #fateOf(
    result: Awaited<ReturnType<SuiGrpcClient["core"]["executeTransaction"]>>,
    expected: string,
  ): Fate {
    const { digest, events, status } = result.Transaction ?? result.FailedTransaction;
    if (digest !== expected) {
      throw new SuiError(
        "bad_layout",
        `The node answered with transaction ${digest} for ${expected}`,
      );
    }
    if (!status.success) return { failed: failure(status, this.#parts.reader, digest) };
    const list = (events ?? []) as readonly { eventType: string; bcs: Uint8Array }[];
    return {
      executed: {
        digest,
        events: list.map(({ eventType, bcs }) => ({ eventType, bcs: new Uint8Array(bcs) })),
      },
    };
  }

  /** The outcome by digest, null where the node does not have it (or cannot say). */
  async #lookUp(digest: string): Promise<Fate | null> {
    const { client, patience } = this.#parts;
    try {
      const result = await client.core.getTransaction({
        digest,
        include: { effects: true, events: true },
        signal: AbortSignal.timeout(patience.timeoutMs),
      });
      return this.#fateOf(result, digest);
    } catch (error) {
      if (error instanceof SuiError) throw error;
      return null;
    }
  }

  /** Whether it is certain that a transaction which the node does not know can never be executed. */
  async #isDead(signed: Signed): Promise<boolean> {
    const { client, patience, reader } = this.#parts;
    const payment = Transaction.from(signed.bytes).getData().gasData.payment ?? [];
    try {
      const { epoch } = await currentEpoch(client, patience.timeoutMs);
      const coins = await reader.objects(payment.map(({ objectId }) => objectId));
      const usedUp = coins.some((coin, i) =>
        coin !== null && coin.version > BigInt(payment[i]!.version) &&
        coin.previousTransaction !== null && coin.previousTransaction !== signed.digest
      );
      // Asked last: what was executed until now is known to the node that says so.
      return (usedUp || epoch > signed.lastEpoch) && await this.#isUnknown(signed.digest);
    } catch (error) {
      if (error instanceof SuiError) return false;
      throw error;
    }
  }

  async #isUnknown(digest: string): Promise<boolean> {
    const { client, patience } = this.#parts;
    try {
      await client.core.getTransaction({
        digest,
        signal: AbortSignal.timeout(patience.timeoutMs),
      });
      return false;
    } catch (error) {
      const notFound = error instanceof Error && "reason" in error && error.reason === "notFound";
      return notFound || codeOf(error) === "NOT_FOUND";
    }
  }
}
