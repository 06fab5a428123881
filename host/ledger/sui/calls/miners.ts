/**
 * Calls of miners, and of whoever has a stake.
 *
 * @module
 */
import { type Bytes, utf8 } from "../../../../enclave/protocol/bytes.ts";
import type { Reveal } from "../../../../enclave/protocol/commit.ts";
import type { CredentialsRow } from "../../governance.ts";
import { bytes, count, id, u16, u32, u8, vector } from "../layout/layout.ts";
import type { Deployment } from "../profile.ts";
import type { CoinRef } from "../state_reader.ts";
import { type Argument, type Call, CallBuilder } from "./call.ts";

/** What rolling takes: rounds, hparams, validators, peers. */
function peers(b: CallBuilder): Argument[] {
  return [b.mut("roundState"), b.mut("hparams"), b.mut("validatorRegistry"), b.mut("peerRegistry")];
}

/** What rolling without the peers takes. */
function validators(b: CallBuilder): Argument[] {
  return [b.mut("roundState"), b.mut("hparams"), b.mut("validatorRegistry")];
}

/** Take a miner's slot: stake and the eviction's fee from the gas coin; what of the fee is not needed comes back. */
export function registerMiner(deployment: Deployment, stake: bigint, fee: bigint): Call {
  const b = new CallBuilder(deployment);
  b.call("peer_registry::register", [...peers(b), b.sui(stake), b.sui(fee), b.clock()]);
  return b.done();
}

/** Take a validator's slot: stake and fee from the gas coin, the bond from VRAM coins. */
export function registerValidator(
  deployment: Deployment,
  stake: bigint,
  fee: bigint,
  bond: bigint,
  coins: readonly CoinRef[],
): Call {
  const b = new CallBuilder(deployment);
  b.call("validator_registry::register", [
    ...validators(b),
    b.mut("treasury"),
    b.sui(stake),
    b.sui(fee),
    b.vram(bond, coins),
    b.clock(),
  ]);
  return b.done();
}

/** Leave a slot. */
export function unregister(
  deployment: Deployment,
  role: "miner" | "validator",
  slot: number,
): Call {
  const b = new CallBuilder(deployment);
  const [module, head] = role === "miner"
    ? ["peer_registry", peers(b)] as const
    : ["validator_registry", validators(b)] as const;
  b.call(`${module}::unregister`, [...head, b.pure(u16, slot), b.clock()]);
  return b.done();
}

/** Take back what has unbonded, of each of `roles`. */
export function withdraw(
  deployment: Deployment,
  sender: string,
  roles: readonly ("miner" | "validator")[],
): Call {
  const b = new CallBuilder(deployment);
  const coins = roles.map((role) =>
    role === "miner"
      ? b.call("peer_registry::withdraw", [...peers(b), b.clock()])
      : b.call("validator_registry::withdraw", [b.mut("validatorRegistry"), b.clock()])
  );
  return b.transfer(coins, sender).done();
}

/** Add to a miner's stake. */
export function topUpStake(deployment: Deployment, slot: number, amount: bigint): Call {
  const b = new CallBuilder(deployment);
  b.call("peer_registry::top_up_stake", [
    ...peers(b),
    b.pure(u16, slot),
    b.sui(amount),
    b.clock(),
  ]);
  return b.done();
}

/** Commit to a gradient. */
export function commit(
  deployment: Deployment,
  slot: number,
  window: number,
  commitment: Bytes,
): Call {
  const b = new CallBuilder(deployment);
  b.call("gradient_registry::commit", [
    ...peers(b),
    b.mut("gradientRegistry"),
    b.pure(u16, slot),
    b.pure(count, window),
    b.pure(bytes, commitment),
    b.clock(),
  ]);
  return b.done();
}

/** Reveal it. */
export function reveal(
  deployment: Deployment,
  slot: number,
  window: number,
  gradient: Pick<Reveal, "contentHash" | "size" | "codec">,
  salt: Bytes,
  ref: string,
): Call {
  const b = new CallBuilder(deployment);
  b.call("gradient_registry::reveal", [
    ...peers(b),
    b.mut("gradientRegistry"),
    b.pure(u16, slot),
    b.pure(count, window),
    b.pure(bytes, gradient.contentHash),
    b.pure(u32, gradient.size),
    b.pure(u8, gradient.codec),
    b.pure(bytes, salt),
    b.pure(bytes, utf8(ref)),
    b.clock(),
  ]);
  return b.done();
}

/** Publish sealed read credentials. */
export function setCredentials(
  deployment: Deployment,
  slot: number,
  credentials: Omit<CredentialsRow, "generation">,
): Call {
  const b = new CallBuilder(deployment);
  b.call("peer_registry::set_credentials", [
    b.mut("peerRegistry"),
    b.pure(u16, slot),
    b.pure(count, credentials.epoch),
    b.pure(bytes, utf8(credentials.bucket)),
    b.pure(bytes, utf8(credentials.account)),
    b.pure(bytes, credentials.sealed),
    b.pure(vector(id), [...credentials.keyServers]),
    b.pure(u8, credentials.threshold),
  ]);
  return b.done();
}

/** Ask whether the sender may open what is sealed to `identity`; key servers simulate it. */
export function sealApprove(deployment: Deployment, identity: Bytes): Call {
  const b = new CallBuilder(deployment);
  b.call("seal_policy::seal_approve", [
    b.pure(bytes, identity),
    b.ref("roundState"),
    b.ref("hparams"),
    b.ref("peerRegistry"),
    b.clock(),
  ]);
  return b.done();
}
