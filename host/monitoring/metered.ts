/**
 * The same ledger, store or judge, whose calls are measured.
 *
 * @module
 */
import type { Payload } from "../../enclave/protocol/judge_messages.ts";
import type { JudgeLike } from "../courier/judge_like.ts";
import { isFinal } from "../ledger/retry.ts";
import type { CallOutcome } from "./metrics.ts";

/** Hears how a call ended. */
export type CallListener = (name: string, outcome: CallOutcome, seconds: number) => void;

/**
 * `target`, whose asynchronous methods tell `heard` when they have ended. Everything else of it stays as it is, private
 * parts included: a method runs on `target` itself.
 */
export function metered<T extends object>(target: T, heard: CallListener): T {
  const wrapped = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get(_, name) {
      const found = Reflect.get(target, name, target);
      if (typeof found !== "function") return found;
      if (!wrapped.has(name)) wrapped.set(name, wrap(String(name), found.bind(target), heard));
      return wrapped.get(name);
    },
  });
}

function wrap(name: string, call: (...args: unknown[]) => unknown, heard: CallListener) {
  return (...args: unknown[]) => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1_000;
    const result = call(...args);
    if (!(result instanceof Promise)) return result;
    return result.then((value) => {
      heard(name, "ok", seconds());
      return value;
    }, (error) => {
      heard(name, outcomeOf(error), seconds());
      throw error;
    });
  };
}

/** Codes of answers that are no failure: there is no such object, or the judge wants the base first. */
const ANSWERS: ReadonlySet<unknown> = new Set(["not_found", "exists", "missing_blob"]);

/** How a call ended, by its error. */
function outcomeOf(error: unknown): CallOutcome {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return ANSWERS.has(code) || isFinal(error) ? "refused" : "failed";
}

/** Hears of what a judge is asked for. */
export interface JudgeListener {
  /** It is asked for so many judgements more, or fewer. */
  asking(more: number): void;
  /** It has answered, or failed. */
  judged(kind: string, outcome: CallOutcome, seconds: number): void;
}

/** The same judge, whose judgements are measured. */
export function meteredJudge<J extends JudgeLike>(judge: J, heard: JudgeListener): J {
  const process = async (payload: Payload) => {
    const started = performance.now();
    let outcome: CallOutcome = "ok";
    heard.asking(1);
    try {
      return await judge.process(payload);
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      heard.asking(-1);
      heard.judged(payload.kind, outcome, (performance.now() - started) / 1_000);
    }
  };
  return new Proxy(judge, {
    get(_, name) {
      if (name === "process") return process;
      const found = Reflect.get(judge, name, judge);
      return typeof found === "function" ? found.bind(judge) : found;
    },
  });
}
