/**
 * `dataset_registry`: data sets, anchored by a root that binds all of them.
 *
 * @module
 */
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { type Dataset, datasetRoot } from "../../../enclave/protocol/dataset.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import type { DatasetRow } from "../governance.ts";
import type { Address } from "../ledger.ts";
import { blob, type Row, type State } from "./state.ts";

const MODULE = "dataset_registry";
const MIN_PAGES = 10;
const MAX_PAGES = 2 ** 40;
/** Live data sets of one owner. */
const MAX_OWNED = 64;

/** Anchor a data set of the network. The admin. */
export function register(state: State, sender: Address, dataset: Dataset): number {
  state.assertAdmin(sender);
  return anchor(state, dataset, null);
}

/** Anchor a data set for jobs. */
export function registerForJob(state: State, sender: Address, dataset: Dataset): number {
  const owned = state.get(
    "select count(*) as n from datasets where owner = ? and retired = 0",
    sender,
  )!.n as number;
  requireThat(owned < MAX_OWNED, MODULE, "ETooMany", `${sender} has ${owned} data sets`);
  return anchor(state, dataset, sender);
}

/** Keep a data set; the root is computed here. */
export function anchor(state: State, dataset: Dataset, owner: Address | null): number {
  const { pageCount, pageTokens, tokenizerHash, merkleRoot } = dataset;
  requireThat(
    Number.isSafeInteger(pageCount) && pageCount >= MIN_PAGES && pageCount <= MAX_PAGES &&
      Number.isSafeInteger(pageTokens) && pageTokens > 0 && pageTokens < 2 ** 32,
    MODULE,
    "EBadDataset",
    "a data set has 10 to 2^40 pages of at least one token",
  );
  requireThat(
    tokenizerHash.length === 32 && merkleRoot.length === 32,
    MODULE,
    "EBadLength",
    "a hash is not 32 bytes",
  );
  const root = datasetRoot(dataset);
  const id = state.get("select count(*) as n from datasets")!.n as number;
  state.run(
    "insert into datasets values (?, ?, ?, ?, ?, ?, ?, 0)",
    id,
    pageCount,
    pageTokens,
    tokenizerHash,
    merkleRoot,
    root,
    owner,
  );
  state.emit("dataset_registry::DatasetRegistered", { id, owner, pageCount, root });
  return id;
}

function rowOf(state: State, id: number): Row {
  const row = state.get("select * from datasets where id = ?", id);
  requireThat(row !== undefined, MODULE, "EUnknownDataset", `there is no data set ${id}`);
  return row;
}

/** The root of a data set that may be put to a new use. */
export function liveRoot(state: State, id: number): Bytes {
  const row = rowOf(state, id);
  requireThat(row.retired === 0, MODULE, "ERetired", `data set ${id} is retired`);
  return blob(row.root);
}

/** Retire a data set: what uses it goes on, nothing new may. The admin any, an owner its own. */
export function retire(state: State, sender: Address, id: number): void {
  if (!state.isAdmin(sender)) {
    const { owner } = rowOf(state, id);
    requireThat(owner === sender, MODULE, "ENotOwner", `data set ${id} is not ${sender}'s`);
  }
  liveRoot(state, id);
  state.run("update datasets set retired = 1 where id = ?", id);
  state.emit("dataset_registry::DatasetRetired", { id });
}

/** A data set, or null. */
export function dataset(state: State, id: number): DatasetRow | null {
  const row = state.get("select * from datasets where id = ?", id);
  return row === undefined ? null : {
    id: row.id as number,
    pageCount: row.page_count as number,
    pageTokens: row.page_tokens as number,
    tokenizerHash: blob(row.tokenizer_hash),
    merkleRoot: blob(row.merkle_root),
    root: blob(row.root),
    owner: row.owner as Address | null,
    retired: row.retired === 1,
  };
}
