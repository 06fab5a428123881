/**
 * Lying couriers: what a validator's host could try around an honest judge, a strategy each. They stand
 * between the validator's own code and its judge, store and ledger; nothing of the validator is changed.
 *
 * @module
 */
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { decodeReveals, encodeReveals } from "../../../enclave/protocol/judge_messages.ts";
import type { Payload, Signed } from "../../../enclave/protocol/judge_messages.ts";
import { decodeReport, encodeReport } from "../../../enclave/protocol/report.ts";
import type { JudgeLike } from "../../courier/judge_like.ts";
import type { Address, Ledger } from "../../ledger/ledger.ts";
import { type Log, reason } from "../../ledger/log.ts";
import { type Store, StoreError } from "../../store/store.ts";
import type { Liar } from "../args_values.ts";

const TARGET = "vramhub_liar";

/** What a lying courier works with. */
export interface LiarParts {
  /** Its judge, which is honest. */
  readonly judge: JudgeLike;
  /** The store. */
  readonly store: Store;
  /** The ledger. */
  readonly ledger: Ledger;
  /** Its validator's owner. */
  readonly owner: Address;
  /** Says what was tried and what came of it. */
  readonly log: Log;
}

/** Judge and store as a liar of this kind lets its validator see them. */
export function lie(kind: Liar, parts: LiarParts): { judge: JudgeLike; store: Store } {
  const { judge, store } = parts;
  if (kind === "abstain") return { judge, store: withMethods(store, { get: () => vanished() }) };
  const strategies = { swap, stale: stale(), forge };
  const strategy = strategies[kind];
  const process = async (payload: Payload): Promise<Signed> => {
    if (payload.kind !== "report") return await judge.process(payload);
    return await strategy(payload, parts);
  };
  return { judge: withMethods(judge, { process }), store };
}

/** `target` with some methods replaced; the others keep their own `this`, private fields included. */
function withMethods<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(object, name) {
      if (Object.hasOwn(methods, name)) return methods[name as keyof T];
      const value = Reflect.get(object, name, object);
      return typeof value === "function" ? value.bind(object) : value;
    },
  });
}

/** Abstain: every gradient is said not to be had, so that nobody is measured. */
function vanished(): Promise<Bytes> {
  return Promise.reject(new StoreError("not_found", "", "A lying courier says that it is gone"));
}

/** Swap: two miners' gradients change places, and the judge signs what it was given. */
async function swap(payload: Payload, parts: LiarParts): Promise<Signed> {
  const reveals = decodeReveals(payload.reveals);
  const [a, b] = reveals;
  if (a === undefined || b === undefined) return await parts.judge.process(payload);
  const swapped = [
    { ...a, contentHash: b.contentHash, size: b.size },
    { ...b, contentHash: a.contentHash, size: a.size },
    ...reveals.slice(2),
  ];
  const signed = await parts.judge.process({ ...payload, reveals: encodeReveals(swapped) });
  return await submit("swap", signed.message, signed.signature, parts);
}

/** Stale: the report of the window before, signed and genuine, once more. */
function stale(): (payload: Payload, parts: LiarParts) => Promise<Signed> {
  let last: Signed | undefined;
  return async (payload, parts) => {
    const signed = last;
    last = await parts.judge.process(payload);
    if (signed === undefined) return last; // nothing to replay yet
    return await submit("stale", signed.message, signed.signature, parts);
  };
}

/** Forge: a better score for everybody, under the signature of what was measured. */
async function forge(payload: Payload, parts: LiarParts): Promise<Signed> {
  const signed = await parts.judge.process(payload);
  const report = decodeReport(signed.message);
  const entries = report.entries.map((entry) =>
    entry.randomAfter === null ? entry : { ...entry, randomAfter: 1 }
  );
  return await submit("forge", encodeReport({ ...report, entries }), signed.signature, parts);
}

/** Send a lie straight to the ledger, past the validator's own checks. The ledger's answer ends the attempt. */
async function submit(
  strategy: Liar,
  message: Bytes,
  signature: Bytes,
  { ledger, owner, log }: LiarParts,
): Promise<never> {
  try {
    await ledger.submitReport(owner, message, signature);
  } catch (error) {
    log("warn", TARGET, "Ledger refused the lie", { strategy, reason: reason(error) });
    throw error;
  }
  throw new Error(`The ledger took a lie of strategy ${strategy}`);
}
