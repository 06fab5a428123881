/**
 * Layouts (BCS) of the Walrus objects that @mysten/walrus reads from Sui, as its generated bindings have them: for the
 * stand-in of a chain, which writes them.
 *
 * @module
 */
import { bcs } from "@mysten/sui/bcs";

const u256 = bcs.u256();
const extended = bcs.struct("ExtendedField", { id: bcs.Address });
const element = bcs.struct("Element", { bytes: bcs.byteVector() });
const table = bcs.struct("Table", { id: bcs.Address, size: bcs.u64() });
const balance = bcs.struct("Balance", { value: bcs.u64() });
/** Maps are empty here but for the committee's. */
const emptyMap = bcs.vector(bcs.u8());
const committee = bcs.vector(
  bcs.struct("Entry", { key: bcs.Address, value: bcs.vector(bcs.u16()) }),
);

/** `system::System`, and `staking::Staking`, which has the same fields. */
export const System = bcs.struct("System", {
  id: bcs.Address,
  version: bcs.u64(),
  package_id: bcs.Address,
  new_package_id: bcs.option(bcs.Address),
});

/** `Field<u64, system_state_inner::SystemStateInnerV1>`. */
export const SystemState = bcs.struct("Field", {
  id: bcs.Address,
  name: bcs.u64(),
  value: bcs.struct("SystemStateInnerV1", {
    committee: bcs.struct("BlsCommittee", {
      members: bcs.vector(
        bcs.struct("Member", { public_key: element, weight: bcs.u16(), node_id: bcs.Address }),
      ),
      n_shards: bcs.u16(),
      epoch: bcs.u32(),
      total_aggregated_key: element,
    }),
    total_capacity_size: bcs.u64(),
    used_capacity_size: bcs.u64(),
    storage_price_per_unit_size: bcs.u64(),
    write_price_per_unit_size: bcs.u64(),
    future_accounting: bcs.struct("RingBuffer", {
      current_index: bcs.u32(),
      length: bcs.u32(),
      ring_buffer: emptyMap,
    }),
    event_blob_certification_state: bcs.struct("EventBlobs", {
      latest_certified_blob: bcs.option(bcs.u8()),
      aggregate_weight_per_blob: emptyMap,
    }),
    deny_list_sizes: extended,
  }),
});

/** `Field<u64, staking_inner::StakingInnerV1>`. */
export const StakingState = bcs.struct("Field", {
  id: bcs.Address,
  name: bcs.u64(),
  value: bcs.struct("StakingInnerV1", {
    n_shards: bcs.u16(),
    epoch_duration: bcs.u64(),
    first_epoch_start: bcs.u64(),
    pools: table,
    epoch: bcs.u32(),
    active_set: extended,
    next_committee: bcs.option(committee),
    committee,
    previous_committee: committee,
    next_epoch_params: bcs.option(bcs.u8()),
    epoch_state: bcs.enum("EpochState", {
      EpochChangeSync: bcs.u16(),
      EpochChangeDone: bcs.u64(),
      NextParamsSelected: bcs.u64(),
    }),
    next_epoch_public_keys: extended,
  }),
});

const authorized = bcs.enum("Authorized", { Address: bcs.Address, ObjectID: bcs.Address });

/** `staking_pool::StakingPool`: a storage node. */
export const StakingPool = bcs.struct("StakingPool", {
  id: bcs.Address,
  state: bcs.enum("PoolState", { Active: null, Withdrawing: bcs.u32(), Withdrawn: null }),
  voting_params: bcs.struct("VotingParams", {
    storage_price: bcs.u64(),
    write_price: bcs.u64(),
    node_capacity: bcs.u64(),
  }),
  node_info: bcs.struct("StorageNodeInfo", {
    name: bcs.string(),
    node_id: bcs.Address,
    network_address: bcs.string(),
    public_key: element,
    next_epoch_public_key: bcs.option(element),
    network_public_key: bcs.byteVector(),
    metadata: extended,
  }),
  activation_epoch: bcs.u32(),
  latest_epoch: bcs.u32(),
  wal_balance: bcs.u64(),
  num_shares: bcs.u64(),
  pending_shares_withdraw: emptyMap,
  pre_active_withdrawals: emptyMap,
  pending_commission_rate: emptyMap,
  commission_rate: bcs.u16(),
  exchange_rates: table,
  pending_stake: emptyMap,
  rewards_pool: balance,
  commission: balance,
  commission_receiver: authorized,
  governance_authorized: authorized,
  extra_fields: table,
});

/** `blob::Blob`. */
export const Blob = bcs.struct("Blob", {
  id: bcs.Address,
  registered_epoch: bcs.u32(),
  blob_id: u256,
  size: bcs.u64(),
  encoding_type: bcs.u8(),
  certified_epoch: bcs.option(bcs.u32()),
  storage: bcs.struct("Storage", {
    id: bcs.Address,
    start_epoch: bcs.u32(),
    end_epoch: bcs.u32(),
    storage_size: bcs.u64(),
  }),
  deletable: bcs.bool(),
});

/** What a storage node signs when it has all its slivers of a permanent blob: intent 1, version 0, app 3. */
export const Confirmation = bcs.struct("StorageConfirmation", {
  intent: bcs.u8(),
  version: bcs.u8(),
  app: bcs.u8(),
  epoch: bcs.u32(),
  blob_id: u256,
  blob_type: bcs.enum("BlobPersistenceType", {
    Permanent: null,
    Deletable: bcs.struct("Deletable", { object_id: bcs.Address }),
  }),
});
