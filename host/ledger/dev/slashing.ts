/**
 * `score_ledger::slash`: two different messages of one intent and subject by one registered key cost the stake.
 *
 * @module
 */
import { BcsReader } from "../../../enclave/protocol/bcs.ts";
import { type Bytes, equal, toHex } from "../../../enclave/protocol/bytes.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import { verifySignature } from "../../../enclave/protocol/identity.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import {
  decodeOutcome,
  decodeReport,
  INTENT,
  MESSAGE_VERSION,
  type MessageHead,
} from "../../../enclave/protocol/report.ts";
import type { Address } from "../ledger.ts";
import { decode } from "./scores.ts";
import type { State } from "./state.ts";
import { roll, takeStake } from "./validators.ts";

const MODULE = "score_ledger";
/** Bytes of a job's verdict, of which only the head is compared. */
const JOB_BYTES = 196;

/** Slash the validator whose registered `key` signed two different messages for one window, or job. */
export function slash(
  state: State,
  key: Bytes,
  first: Bytes,
  firstSignature: Bytes,
  second: Bytes,
  secondSignature: Bytes,
): void {
  roll(state);
  requireThat(first.length > 0, MODULE, "EBadMessage", "the first message is empty");
  const intent = first[0] === INTENT.outcome || first[0] === INTENT.job ? first[0] : INTENT.report;
  const read = READERS[intent]!;
  const a = decode(read, first);
  const b = decode(read, second);
  const { chainId, ledgerId } = state.info();
  requireThat(
    [a, b].every((head) => equal(head.chainId, chainId) && equal(head.ledgerId, ledgerId)),
    MODULE,
    "EWrongLedger",
    "a message is for another ledger",
  );
  const enclave = state.get("select uid, owner from enclaves where key = ?", key);
  requireThat(
    a.validator === b.validator && a.window === b.window && !equal(first, second) &&
      enclave?.uid === a.validator && verifySignature(firstSignature, first, key) &&
      verifySignature(secondSignature, second, key),
    MODULE,
    "ENotEquivocation",
    "these are not two different messages by one registered key for one subject",
  );
  // Once for each: with a slash below the whole stake the same proof would take again and again.
  const offence = `slashed/${toHex(key)}/${intent}/${a.window}`;
  requireThat(
    state.meta(offence) === undefined,
    MODULE,
    "EAlreadySubmitted",
    `validator ${a.validator} was slashed for this`,
  );
  const owner = enclave.owner as Address;
  const taken = takeStake(state, a.validator, owner, state.current().slash_bps, a.window);
  requireThat(
    taken > 0n,
    MODULE,
    "ENotValidator",
    `validator ${a.validator} has nothing at stake any more`,
  );
  state.setMeta(offence, state.nowMs);
  state.run("update enclaves set active = 0 where uid = ? and owner = ?", a.validator, owner);
  state.emit("enclave_registry::EnclaveRevoked", { validator: a.validator, owner });
}

const READERS: Readonly<Record<number, (bytes: Uint8Array) => MessageHead>> = {
  [INTENT.report]: decodeReport,
  [INTENT.outcome]: decodeOutcome,
  [INTENT.job]: readJobHead,
};

/** The head of a job's verdict, with the job where other messages have their window. */
function readJobHead(bytes: Uint8Array): MessageHead {
  if (bytes.length !== JOB_BYTES) {
    throw new Refusal("wrong_length", `A job's verdict is ${JOB_BYTES} bytes`);
  }
  const reader = new BcsReader(bytes);
  if (reader.u8() !== INTENT.job || reader.u8() !== MESSAGE_VERSION) {
    throw new Refusal("wrong_intent", `The message is no verdict of version ${MESSAGE_VERSION}`);
  }
  return {
    chainId: reader.fixed(32),
    ledgerId: reader.fixed(32),
    validator: reader.u16(),
    window: reader.count(),
    timestampMs: reader.count(),
  };
}
