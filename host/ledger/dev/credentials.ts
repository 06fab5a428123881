/**
 * `peer_registry`'s sealed read credentials, and `seal_policy`: who may open them.
 *
 * @module
 */
import { BcsReader } from "../../../enclave/protocol/bcs.ts";
import { type Bytes, utf8 } from "../../../enclave/protocol/bytes.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { CredentialsRow } from "../governance.ts";
import type { Address } from "../ledger.ts";
import type { ObjectId } from "../token.ts";
import { assertOwner } from "./peers.ts";
import { rolledTo } from "./rounds.ts";
import { blob, type State } from "./state.ts";

const MODULE = "peer_registry";
const MAX_NAME = 64;
const MAX_SEALED = 4_096;
const MAX_KEY_SERVERS = 16;
/** Bytes of an id: uid u16, epoch u64. */
const ID_BYTES = 10;

const within = ({ length }: Uint8Array, most: number) => length > 0 && length <= most;

/** Publish read credentials in place of the slot's earlier ones. */
export function setCredentials(
  state: State,
  sender: Address,
  uid: number,
  credentials: Omit<CredentialsRow, "generation">,
): void {
  const { generation } = assertOwner(state, uid, sender);
  const { epoch, bucket, account, sealed, keyServers, threshold } = credentials;
  const next = nextCredentialsEpoch(state, uid);
  requireThat(epoch === next, MODULE, "EBadEpoch", `the next epoch of slot ${uid} is ${next}`);
  requireThat(
    within(utf8(bucket), MAX_NAME) && within(utf8(account), MAX_NAME) &&
      within(sealed, MAX_SEALED) && keyServers.length <= MAX_KEY_SERVERS &&
      Number.isInteger(threshold) && threshold > 0 && threshold <= keyServers.length,
    MODULE,
    "EBadCredentials",
    "a field of the credentials is empty or too long, or the threshold does not fit",
  );
  state.run(
    "insert or replace into credentials values (?, ?, ?, ?, ?, ?, ?, ?)",
    uid,
    generation as number,
    epoch,
    bucket,
    account,
    sealed,
    JSON.stringify(keyServers),
    threshold,
  );
  state.emit("peer_registry::CredentialsSet", { uid, generation, epoch });
}

/** The epoch that the next credentials of a slot have; a former owner's count, too. */
export function nextCredentialsEpoch(state: State, uid: number): number {
  const last = state.get("select epoch from credentials where uid = ?", uid)?.epoch ?? 0;
  return Number(last) + 1;
}

/** A slot's credentials, or null where its present owner has none. */
export function credentials(state: State, uid: number): CredentialsRow | null {
  const row = state.get(
    `select c.* from credentials c join miners m on m.uid = c.uid and m.generation = c.generation
     where c.uid = ?`,
    uid,
  );
  return row === undefined ? null : {
    generation: row.generation as number,
    epoch: row.epoch as number,
    bucket: row.bucket as string,
    account: row.account as string,
    sealed: blob(row.sealed),
    keyServers: JSON.parse(row.key_servers as string) as ObjectId[],
    threshold: row.threshold as number,
  };
}

/** Refuse unless `sender` may have the key of `id`: a validator of the running window. */
export function sealApprove(state: State, sender: Address, id: Bytes): void {
  const policy = "seal_policy";
  requireThat(id.length === ID_BYTES, policy, "EBadId", "an id is uid u16 and epoch u64");
  const reader = new BcsReader(id);
  const uid = reader.u16();
  const epoch = reader.u64();
  const current = credentials(state, uid)?.epoch;
  requireThat(
    current !== undefined && BigInt(current) === epoch,
    policy,
    "ENoCredentials",
    `miner ${uid} has no credentials of epoch ${epoch}`,
  );
  const window = state.window();
  const rolled = rolledTo(state) >= window;
  requireThat(rolled, policy, "ENotRolled", `window ${window} is not open yet`);
  requireThat(
    state.get("select 1 from snapshots where window = ? and owner = ?", window, sender) !==
      undefined,
    policy,
    "ENotValidator",
    `${sender} is no validator of window ${window}`,
  );
}
