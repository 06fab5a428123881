/**
 * The judge's identity, from the courier's side: configure it, challenge it, verify its document as the
 * ledger will, and register its key. A judge that restarted has another key: the same steps again.
 *
 * @module
 */
import { type Attested, verify } from "../attestation/mod.ts";
import { type Bytes, equal } from "../enclave/protocol/bytes.ts";
import { addressBytes, type JudgeIdentity, userDataOf } from "../enclave/protocol/identity.ts";
import type { JudgeLike } from "./courier/judge_like.ts";
import type { Address, Ledger } from "./ledger/ledger.ts";

/** A registered judge. */
export interface RegisteredJudge {
  /** Its Ed25519 key. */
  readonly key: Bytes;
  /** What its document attested. */
  readonly attested: Attested;
}

/**
 * Make `judge` the registered judge of validator `uid`. Registered already with this very key: verified again,
 * not registered again.
 *
 * @throws {AttestationError} where the document does not hold, `LedgerError` where the ledger refuses it.
 */
export async function registerJudge(
  judge: JudgeLike,
  ledger: Ledger,
  owner: Address,
  uid: number,
): Promise<RegisteredJudge> {
  const info = await ledger.info();
  const identity: JudgeIdentity = {
    chainId: info.chainId,
    ledgerId: info.ledgerId,
    validator: uid,
    address: addressBytes(owner),
  };
  const key = await judge.configure(identity);
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const document = await judge.attest(nonce);
  const now = ledger.now();
  const approved = (await ledger.measurements()).filter(({ activeFrom }) => activeFrom <= now);
  const attested = await verify(document, {
    // The simulated root is the ledger's own word: on a production ledger there is none to name.
    root: info.simulatedRoot === null
      ? { kind: "aws" }
      : { kind: "simulated", der: info.simulatedRoot },
    time: { kind: "live", now },
    measurements: approved.map(({ name, pcrs }) => ({
      name,
      pcrs: new Map(pcrs.map((pcr, i) => [i, pcr])),
    })),
    nonce,
    publicKey: key,
    userData: userDataOf(identity),
    debug: "refuse",
  });
  const registered = await ledger.enclave(uid);
  const renew = registered === null || !equal(registered.key, key) ||
    registered.expiresMs - now < RENEW_MS;
  if (renew) await ledger.registerEnclave(owner, uid, document);
  return { key, attested };
}

/** A key is renewed this long before it expires. */
const RENEW_MS = 86_400_000;
