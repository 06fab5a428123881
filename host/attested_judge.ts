/**
 * A validator's judge: attested and registered, started again where it has ended, and asked so that no crash
 * between question and ledger loses or doubles an answer.
 *
 * @module
 */
import { type Bytes, equal, fromHex, toHex } from "../enclave/protocol/bytes.ts";
import { LedgerError } from "../enclave/protocol/errors.ts";
import { verifySignature } from "../enclave/protocol/identity.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { decodeOutcome } from "../enclave/protocol/report.ts";
import type { Attested } from "../attestation/mod.ts";
import { registerJudge } from "./attester.ts";
import { JudgeError } from "./courier/judge_error.ts";
import type { JudgeLike } from "./courier/judge_like.ts";
import type { Journal, Message } from "./journal.ts";
import type { Address, Ledger, WindowView } from "./ledger/ledger.ts";
import { type Log, reason } from "./ledger/log.ts";
import { windowOrNull } from "./store/bases.ts";

const TARGET = "vramhub_validator";

/** What the judge is asked with. */
export interface JudgeParts {
  /** The judge. */
  readonly judge: JudgeLike;
  /** Starts a judge that has ended again, behind the same `judge`; absent where that is not the validator's to do. */
  readonly restartJudge?: () => Promise<void>;
  /** The ledger. */
  readonly ledger: Ledger;
  /** Steps, before they are taken. */
  readonly journal: Journal;
  /** Who submits. */
  readonly owner: Address;
  /** The slot. */
  readonly uid: number;
  /** Log lines. */
  readonly log: Log;
}

/** A signed message, as it is submitted. */
export interface SignedMessage {
  /** The bytes. */
  readonly message: Bytes;
  /** Ed25519, 64 bytes. */
  readonly signature: Bytes;
}

/** A question to the judge. */
export interface Question {
  /** N. */
  readonly window: number;
  /** What is to be signed. */
  readonly kind: Message;
  /** uids whose gradients are not to be had. */
  readonly unavailable: readonly number[];
  /** Asks the judge, which holds the window's gradients after this. */
  ask(unavailable: readonly number[]): Promise<SignedMessage>;
  /** Checks the answer as the ledger will. @throws {Refusal} where the ledger would refuse it. */
  check(message: Bytes): void;
}

/** See the module. */
export class AttestedJudge {
  readonly #parts: JudgeParts;
  readonly #attested: (key: Bytes, attested: Attested) => void;
  #key: Bytes | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #mending: Promise<void> | undefined;

  /** Tells `attested` of every new key. */
  constructor(parts: JudgeParts, attested: (key: Bytes, attested: Attested) => void) {
    this.#parts = parts;
    this.#attested = attested;
  }

  /** The key of the attested judge, hex. */
  get key(): string {
    if (this.#key === undefined) throw new RangeError("Cannot ask a judge that is not attested");
    return toHex(this.#key);
  }

  /**
   * Attest and register the judge, wherever its key is not the registered one. First whatever the registered
   * key has signed is sent: once another key has taken its place, nobody may send it any more.
   */
  attest(): Promise<void> {
    const result = this.#turn.then(() => this.#attest());
    this.#turn = result.catch(() => {});
    return result;
  }

  async #attest(): Promise<void> {
    const { judge, ledger, log, owner, uid } = this.#parts;
    await this.#sendKept();
    const { key, attested } = await registerJudge(judge, ledger, owner, uid);
    if (this.#key !== undefined && equal(this.#key, key)) return;
    this.#key = key;
    log("info", TARGET, "Enclave registered", {
      uid,
      key: toHex(key),
      measurement: attested.measurement,
    });
    this.#attested(key, attested);
  }

  /** Start the judge again, where that is ours to do, and attest it. Calls meanwhile share the one attempt. */
  mend(): Promise<void> {
    return this.#mending ??= this.#mend().finally(() => this.#mending = undefined);
  }

  async #mend(): Promise<void> {
    const { log, restartJudge } = this.#parts;
    if (restartJudge !== undefined) {
      log("warn", TARGET, "Restarting the judge");
      await restartJudge();
    }
    await this.attest();
  }

  /**
   * {@link attest}, and {@link mend} where the judge is not to be reached. Never throws: the next call tries again. Once
   * `signal` has aborted the judge may be gone for good: that is no fault.
   */
  async keep(signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    try {
      await this.attest().catch((error) => {
        if (!isGone(error) || signal.aborted) throw error;
        return this.mend();
      });
    } catch (error) {
      if (signal.aborted) return;
      log("error", TARGET, "Judge not attested", { reason: reason(error) });
    }
  }

  /**
   * The answer to a question: from the journal, where the present key has signed it already, else from the judge,
   * journalled before it is returned.
   */
  async signed(question: Question): Promise<SignedMessage> {
    const { journal } = this.#parts;
    const { kind, window } = question;
    const key = this.key;
    const kept = journal.find(window, `${kind}_signed`);
    if (kept !== undefined && kept.key === key) {
      return { message: fromHex(kept.message), signature: fromHex(kept.signature) };
    }
    const { message, signature } = await this.#ask(question, key);
    if (!verifySignature(signature, message, fromHex(key))) {
      await this.#turn;
      if (this.key !== key) throw restarted();
      throw new Refusal("wrong_key", "The judge's signature is not by its attested key");
    }
    question.check(message);
    await journal.append({
      step: `${kind}_signed`,
      window,
      key,
      message: toHex(message),
      signature: toHex(signature),
    });
    return { message, signature };
  }

  /**
   * A judge signs one question a window. Whoever was asked before a crash may have signed with gradients missing
   * that are here now, or the other way round: then only the earlier question gets its answer.
   */
  async #ask({ ask, kind, unavailable, window }: Question, key: string): Promise<SignedMessage> {
    const { journal } = this.#parts;
    const step = `${kind}_asked` as const;
    const earlier = journal.all(window, step).filter((asked) => asked.key === key).reverse();
    await journal.append({ step, window, key, unavailable });
    let refused: unknown;
    for (const uids of distinct([unavailable, ...earlier.map((asked) => asked.unavailable)])) {
      try {
        return await ask(uids);
      } catch (error) {
        if (!(error instanceof JudgeError)) throw error;
        // It was configured when it was attested: another one answers, whom somebody is about to attest.
        if (error.code === "not_configured") throw restarted(error);
        if (error.code !== "already_signed") throw error;
        refused ??= error;
      }
    }
    throw refused;
  }

  /** Send what was signed before a crash and never sent, as long as its key is the registered one. */
  async #sendKept(): Promise<void> {
    const { journal, ledger, log, uid } = this.#parts;
    for (const kind of ["report", "outcome"] as const) {
      for (const entry of journal.every(`${kind}_signed`)) {
        const { window } = entry;
        if (journal.find(window, `${kind}_submitted`) !== undefined) continue;
        if (journal.find(window, "done") !== undefined) continue;
        const view = await windowOrNull(ledger, window);
        if (view === null || !isWanted(view, kind, uid, fromHex(entry.message), ledger.now())) {
          continue;
        }
        const registered = await ledger.enclave(uid);
        if (registered === null || toHex(registered.key) !== entry.key) continue;
        try {
          await this.submit(kind, window, {
            message: fromHex(entry.message),
            signature: fromHex(entry.signature),
          });
          log("info", TARGET, "Kept message sent", { window, kind });
        } catch (error) {
          if (!(error instanceof LedgerError)) throw error;
          log("warn", TARGET, "Kept message refused", { window, kind, reason: reason(error) });
        }
      }
    }
  }

  /** Submit a message, and note that the ledger has it. */
  async submit(kind: Message, window: number, signed: SignedMessage): Promise<void> {
    const { journal, ledger, owner } = this.#parts;
    const { message, signature } = signed;
    try {
      if (kind === "report") await ledger.submitReport(owner, message, signature);
      else await ledger.submitOutcome(owner, message, signature);
    } catch (error) {
      // It went through before, unseen: then the ledger says so, and that is as good.
      if (!(error instanceof LedgerError) || error.constant !== "EAlreadySubmitted") throw error;
    }
    await journal.append({ step: `${kind}_submitted`, window });
  }
}

/** Whether a judge has ended, or is not to be reached for another reason. */
export function isGone(error: unknown): boolean {
  return error instanceof JudgeError && error.code === "unreachable";
}

/** Whether the ledger still waits for this message of validator `uid`. */
function isWanted(
  view: WindowView,
  kind: Message,
  uid: number,
  message: Bytes,
  now: number,
): boolean {
  const { deadlines, outcomes, reported, settled, status } = view;
  if (kind === "report") {
    return status === "open" && !reported.includes(uid) && now < deadlines.report;
  }
  return settled !== null && status !== "skipped" && !outcomes.includes(uid) &&
    now < deadlines.outcome && equal(decodeOutcome(message).settledDigest, settled.digest);
}

/** The question is to be asked again, of the judge that is there now. */
function restarted(cause?: JudgeError): JudgeError {
  return new JudgeError("unreachable", 0, "The judge has restarted while it was asked", { cause });
}

function distinct(lists: readonly (readonly number[])[]): (readonly number[])[] {
  return [...new Map(lists.map((list) => [JSON.stringify(list), list])).values()];
}
