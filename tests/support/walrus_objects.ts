/**
 * The objects of a Walrus that was founded just now, as a SCRIPTED Sui node gives them.
 *
 * @module
 */
import type { SuiClientTypes } from "@mysten/sui/client";
import { bcs } from "@mysten/sui/bcs";
import { deriveDynamicFieldID } from "@mysten/sui/utils";
import { address } from "../../host/ledger/testing.ts";
import { StakingPool, StakingState, System, SystemState } from "./walrus_layout.ts";
import type { StorageNode } from "./walrus_nodes.ts";

/** Walrus' package. */
export const PACKAGE: string = address(0x3a1);
/** `system::System`. */
export const SYSTEM: string = address(0x3a3);
/** `staking::Staking`. */
export const STAKING: string = address(0x3a4);
/** The running epoch. */
export const EPOCH = 7;
/** WAL for a MiB in an epoch, smallest units. */
export const STORAGE_PRICE = 1_000;
/** WAL for writing a MiB. */
export const WRITE_PRICE = 2_000;
const VERSION = 1;

/** An object of the chain. */
export interface ChainObject {
  /** Its type. */
  readonly type: string;
  /** BCS. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** Whose it is. */
  readonly owner: SuiClientTypes.ObjectOwner;
}

/** Anybody's. */
const SHARED = {
  $kind: "Shared",
  Shared: { initialSharedVersion: "1" },
} as SuiClientTypes.ObjectOwner;

/** System, staking and pools, with a shard for each of `nodes`, by id. */
export function walrusObjects(nodes: readonly StorageNode[]): Map<string, ChainObject> {
  const objects = new Map<string, ChainObject>();
  const put = (id: string, type: string, content: { toBytes(): Uint8Array<ArrayBuffer> }) =>
    objects.set(id, { type: `${PACKAGE}::${type}`, content: content.toBytes(), owner: SHARED });
  const id = (index: number) => address(0xa0de + index);
  const key = (index: number) => ({ bytes: nodes[index]!.publicKey });
  const state = { version: VERSION, package_id: PACKAGE, new_package_id: null };
  const none = { id: SYSTEM };
  put(SYSTEM, "system::System", System.serialize({ id: SYSTEM, ...state }));
  put(STAKING, "staking::Staking", System.serialize({ id: STAKING, ...state }));
  const committee = nodes.map(({ index }) => ({ key: id(index), value: [index] }));
  const inner = (parent: string) =>
    deriveDynamicFieldID(parent, "u64", bcs.u64().serialize(VERSION).toBytes());
  put(
    inner(SYSTEM),
    "field",
    SystemState.serialize({
      id: inner(SYSTEM),
      name: VERSION,
      value: {
        committee: {
          members: nodes.map(({ index }) => ({
            public_key: key(index),
            weight: 1,
            node_id: id(index),
          })),
          n_shards: nodes.length,
          epoch: EPOCH,
          total_aggregated_key: key(0),
        },
        total_capacity_size: 1e12,
        used_capacity_size: 0,
        storage_price_per_unit_size: STORAGE_PRICE,
        write_price_per_unit_size: WRITE_PRICE,
        future_accounting: { current_index: 0, length: 0, ring_buffer: [] },
        event_blob_certification_state: {
          latest_certified_blob: null,
          aggregate_weight_per_blob: [],
        },
        deny_list_sizes: none,
      },
    }),
  );
  put(
    inner(STAKING),
    "field",
    StakingState.serialize({
      id: inner(STAKING),
      name: VERSION,
      value: {
        n_shards: nodes.length,
        epoch_duration: 86_400_000,
        first_epoch_start: 0,
        pools: { id: STAKING, size: nodes.length },
        epoch: EPOCH,
        active_set: none,
        next_committee: null,
        committee,
        previous_committee: committee,
        next_epoch_params: null,
        epoch_state: { EpochChangeDone: 0 },
        next_epoch_public_keys: none,
      },
    }),
  );
  for (const { address: host, index } of nodes) {
    put(
      id(index),
      "staking_pool::StakingPool",
      StakingPool.serialize({
        id: id(index),
        state: { Active: null },
        voting_params: {
          storage_price: STORAGE_PRICE,
          write_price: WRITE_PRICE,
          node_capacity: 1e12,
        },
        node_info: {
          name: `node ${index}`,
          node_id: id(index),
          network_address: host,
          public_key: key(index),
          next_epoch_public_key: null,
          network_public_key: new Uint8Array(33),
          metadata: none,
        },
        activation_epoch: 1,
        latest_epoch: EPOCH,
        wal_balance: 0,
        num_shares: 0,
        pending_shares_withdraw: [],
        pre_active_withdrawals: [],
        pending_commission_rate: [],
        commission_rate: 0,
        exchange_rates: { id: id(index), size: 0 },
        pending_stake: [],
        rewards_pool: { value: 0 },
        commission: { value: 0 },
        commission_receiver: { Address: id(index) },
        governance_authorized: { Address: id(index) },
        extra_fields: { id: id(index), size: 0 },
      }),
    );
  }
  return objects;
}
