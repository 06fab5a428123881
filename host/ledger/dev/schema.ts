/**
 * The dev ledger's tables. Amounts are decimal text (they pass 2^53), bytes are blobs, times milliseconds.
 *
 * @module
 */

/** Version of the tables, kept in `user_version`. */
export const SCHEMA_VERSION = 3;

/** One statement a table. `STRICT`: a wrong type is an error, not a surprise. */
export const SCHEMA = `
create table meta (key text primary key, value any not null) strict;
create table epochs (first_window integer primary key, start_ms integer not null, window_ms integer not null) strict;
create table accounts (address text primary key, sui text not null, vram text not null, claimable text not null) strict;
create table unbonding (
  id integer primary key, role text not null, owner text not null, amount text not null, due_ms integer not null
) strict;

create table miners (
  uid integer primary key, generation integer not null, owner text not null, stake text not null,
  active_from integer not null, mu integer not null, sigma integer not null, average integer not null,
  measured integer not null, accepted integer not null, last_accepted integer not null
) strict;
-- whoever left a slot is still paid for the window that is being judged
create table former_miners (
  uid integer not null, generation integer not null, mu integer not null, sigma integer not null,
  average integer not null, measured integer not null, accepted integer not null,
  left_window integer not null, primary key (uid, generation)
) strict;
create table validators (
  uid integer primary key, generation integer not null, owner text not null, stake text not null,
  active_from integer not null
) strict;
-- what a slot becomes at the next window: an owner and stake, or nobody
create table pending_slots (
  role text not null, uid integer not null, effective integer not null, owner text, stake text,
  primary key (role, uid)
) strict;

create table windows (
  window integer primary key, status text not null, hparams blob not null, base blob not null,
  acc blob not null, cursor integer not null, random_before integer, settled_digest blob,
  rated integer not null, merged blob, current_loss integer, merged_loss integer, issued text,
  skip_reason text, assign_seed blob, judge_seed blob
) strict;
create table snapshots (
  window integer not null, uid integer not null, generation integer not null, owner text not null,
  stake text not null, active_from integer not null, primary key (window, uid)
) strict;
create table commits (
  window integer not null, uid integer not null, generation integer not null, owner text not null,
  seq integer not null unique, commitment blob not null, primary key (window, uid)
) strict;
create table reveals (
  window integer not null, position integer not null, uid integer not null, generation integer not null,
  owner text not null, commit_seq integer not null, content_hash blob not null, size integer not null,
  codec integer not null, ref text not null, primary key (window, uid)
) strict;
create table reports (
  window integer not null, uid integer not null, message blob not null, signature blob not null,
  key blob not null, at_ms integer not null, primary key (window, uid)
) strict;
-- the staging rows of design §2.8: an outcome commits them, a skip drops them
create table settled (
  window integer not null, uid integer not null, verdict integer not null, own_before integer,
  own_after integer, random_after integer, prior_mu integer not null, prior_sigma integer not null,
  average integer not null, prior_average integer not null, prior_measured integer not null,
  prior_accepted integer not null, primary key (window, uid)
) strict;
create table outcomes (
  window integer not null, uid integer not null, message blob not null, signature blob not null,
  key blob not null, at_ms integer not null, primary key (window, uid)
) strict;
create table payouts (
  window integer not null, role text not null, uid integer not null, owner text not null,
  weight text not null, reward text not null, mu integer not null, sigma integer not null,
  counted integer not null, primary key (window, role, uid)
) strict;

create table measurements (
  name text primary key, pcr0 blob not null, pcr1 blob not null, pcr2 blob not null,
  active_from integer not null
) strict;
create table enclaves (
  key blob primary key, uid integer not null, owner text not null, document_ms integer not null,
  registered_ms integer not null, expires_ms integer not null, measurement text not null,
  simulated integer not null, active integer not null, document blob not null
) strict;
-- one of a slot; void once the slot has another generation
create table credentials (
  uid integer primary key, generation integer not null, epoch integer not null, bucket text not null,
  account text not null, sealed blob not null, key_servers text not null, threshold integer not null
) strict;
create table datasets (
  id integer primary key, page_count integer not null, page_tokens integer not null,
  tokenizer_hash blob not null, merkle_root blob not null, root blob not null, owner text,
  retired integer not null
) strict;

create table jobs (
  id integer primary key, customer text not null, spec text not null, terms text not null,
  status integer not null, posted_ms integer not null, deadline_ms integer not null,
  since_ms integer not null, payout text not null, fee text not null, escrow text not null,
  claim_bond text not null, dispute_bond text not null, miner text, uid integer, result_hash blob
) strict;

create table vestings (
  id text primary key, class integer not null, beneficiary text not null, offered text,
  total text not null, claimed text not null, start_ms integer not null, cliff_ms integer not null,
  duration_ms integer not null
) strict;
create table airdrops (
  id text primary key, vesting text not null, root blob not null, leaves integer not null,
  deadline_ms integer not null, balance text not null
) strict;
create table airdrop_claims (address text primary key, amount text not null) strict;
create table pools (
  id text primary key, stake text not null, rewards text not null, unreleased text not null,
  left_ms text not null, updated_ms text not null, weight text not null, tickets text not null,
  accumulated text not null
) strict;
create table tickets (
  id text primary key, pool text not null, owner text not null, amount text not null,
  tier integer not null, weight text not null, unlock_ms integer not null, paid_at text not null,
  fraction text not null
) strict;

create table events (
  seq integer primary key autoincrement, at_ms integer not null, window integer not null,
  kind text not null, body text not null
) strict;
`;
