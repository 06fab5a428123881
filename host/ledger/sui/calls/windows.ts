/**
 * Calls that move a window: rolling, judges' keys and messages, settling, closing, pay.
 *
 * @module
 */
import type { Bytes } from "../../../../enclave/protocol/bytes.ts";
import type { PrunePart } from "../../governance.ts";
import { bytes, count, u16 } from "../layout/layout.ts";
import type { Deployment, SharedObject } from "../profile.ts";
import { type Argument, type Call, CallBuilder } from "./call.ts";

const DOCUMENT = "0x2::nitro_attestation::NitroAttestationDocument";

function rolling(b: CallBuilder): Argument[] {
  return [b.mut("roundState"), b.mut("hparams"), b.mut("validatorRegistry")];
}

/** Bring the ledger to the running window. */
export function roll(deployment: Deployment): Call {
  const b = new CallBuilder(deployment);
  b.call("peer_registry::roll", [...rolling(b), b.mut("peerRegistry"), b.clock()]);
  return b.done();
}

/** Have Sui verify an attestation document, and register its key, in one transaction. */
export function registerEnclave(deployment: Deployment, slot: number, document: Bytes): Call {
  const b = new CallBuilder(deployment);
  const verified = b.call("0x2::nitro_attestation::load_nitro_attestation", [
    b.pure(bytes, document),
    b.clock(),
  ]);
  b.call("enclave_registry::register", [
    ...rolling(b),
    b.mut("enclaveRegistry"),
    b.result(verified, `&${DOCUMENT}`),
    b.pure(u16, slot),
    b.clock(),
  ]);
  return b.done();
}

/** Submit a report. */
export function submitReport(deployment: Deployment, message: Bytes, signature: Bytes): Call {
  const b = new CallBuilder(deployment);
  b.call("score_ledger::submit_report", [
    ...rolling(b),
    b.ref("enclaveRegistry"),
    b.ref("gradientRegistry"),
    b.mut("scoreLedger"),
    b.pure(bytes, message),
    b.pure(bytes, signature),
    b.clock(),
  ]);
  return b.done();
}

/** Settle up to `limit` more reveals. */
export function settle(deployment: Deployment, window: number, limit: number): Call {
  const b = new CallBuilder(deployment);
  b.call("score_ledger::settle", [
    ...rolling(b),
    b.mut("peerRegistry"),
    b.ref("gradientRegistry"),
    b.mut("scoreLedger"),
    b.pure(count, window),
    b.pure(count, limit),
    b.clock(),
  ]);
  return b.done();
}

/** Submit an outcome. */
export function submitOutcome(deployment: Deployment, message: Bytes, signature: Bytes): Call {
  const b = new CallBuilder(deployment);
  b.call("score_ledger::submit_outcome", [
    ...rolling(b),
    b.mut("peerRegistry"),
    b.ref("enclaveRegistry"),
    b.mut("scoreLedger"),
    b.mut("rewardPool"),
    b.pure(bytes, message),
    b.pure(bytes, signature),
    b.clock(),
  ]);
  return b.done();
}

/** Close or skip a window, after rolling: what is over may end by that alone. */
export function close(deployment: Deployment, window: number): Call {
  const b = new CallBuilder(deployment);
  b.call("peer_registry::roll", [...rolling(b), b.mut("peerRegistry"), b.clock()]);
  b.call("round_state::close", [
    b.mut("roundState"),
    b.ref("hparams"),
    b.pure(count, window),
    b.clock(),
  ]);
  return b.done();
}

/** Slash a key that signed two messages. */
export function slash(
  deployment: Deployment,
  key: Bytes,
  first: Bytes,
  firstSignature: Bytes,
  second: Bytes,
  secondSignature: Bytes,
): Call {
  const b = new CallBuilder(deployment);
  b.call("score_ledger::slash", [
    ...rolling(b),
    b.mut("enclaveRegistry"),
    ...[key, first, firstSignature, second, secondSignature].map((part) => b.pure(bytes, part)),
    b.clock(),
  ]);
  return b.done();
}

/**
 * Draw a window's seeds; `random` is Sui's object 0x8. Alone in its transaction: what another call has touched
 * before may not be given to an `entry` function.
 */
export function drawSeeds(deployment: Deployment, window: number, random: SharedObject): Call {
  const b = new CallBuilder(deployment);
  b.call("round_state::draw_seeds", [
    b.mut("roundState"),
    b.ref("hparams"),
    b.pure(count, window),
    b.shared(random, "0x2::random::Random", false),
    b.clock(),
  ]);
  return b.done();
}

/** Forget parts of an old window. */
export function prune(deployment: Deployment, window: number, parts: readonly PrunePart[]): Call {
  const b = new CallBuilder(deployment);
  const calls: Readonly<Record<PrunePart, () => unknown>> = {
    gradients: () =>
      b.call("gradient_registry::prune", [
        b.mut("gradientRegistry"),
        b.ref("roundState"),
        b.pure(count, window),
      ]),
    scores: () =>
      b.call("score_ledger::prune", [
        b.ref("roundState"),
        b.mut("scoreLedger"),
        b.mut("rewardPool"),
        b.pure(count, window),
      ]),
    rounds: () => b.call("round_state::prune", [b.mut("roundState"), b.pure(count, window)]),
  };
  for (const part of parts) calls[part]();
  return b.done();
}

/** Take one's rewards. */
export function claim(deployment: Deployment, sender: string): Call {
  const b = new CallBuilder(deployment);
  const coin = b.call("reward_distributor::claim", [b.mut("rewardPool"), b.mut("treasury")]);
  return b.transfer([coin], sender).done();
}
