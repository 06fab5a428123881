/**
 * `deno task dataset register`: a data set that was built here, verified byte by byte, becomes one that the ledger
 * anchors. The call is that of `vramhub admin dataset register`, with the numbers of the manifest.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import { verifyFolder } from "../data/folder.ts";
import type { DatasetFile } from "../data/manifest.ts";
import { DataError } from "../data/source_bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import type { GovernanceLedger } from "../ledger/governance.ts";
import type { Address } from "../ledger/ledger.ts";

/** A data set and its number on the ledger. */
export interface Registered {
  /** What was verified. */
  readonly about: DatasetFile;
  /** Its number. */
  readonly id: number;
}

/**
 * Verify the data set at `source`, a folder or the `dataset.json` in it, and anchor it; with `forJobs` as `caller`'s own.
 *
 * @throws {DataError} where a byte of it is wrong; nothing is sent then.
 * @throws {LedgerError} where the ledger refuses.
 */
export async function registerFolder(
  source: string,
  { ledger, caller, forJobs }: {
    readonly ledger: Pick<GovernanceLedger, "registerDataset" | "registerJobDataset">;
    readonly caller: () => Promise<Address>;
    readonly forJobs: boolean;
  },
): Promise<Registered> {
  const about = await verifyFolder(await folderOf(source));
  const sender = await caller();
  const id = forJobs
    ? await ledger.registerJobDataset(sender, about.dataset)
    : await ledger.registerDataset(sender, about.dataset).catch(explain);
  return { about, id };
}

/** Most who come here want a data set for their own jobs. */
function explain(error: unknown): never {
  if (!(error instanceof LedgerError && error.constant === "ENotAdmin")) throw error;
  const { module, constant } = error;
  const detail = `${error.message}; as your own, for jobs: --for-jobs`;
  throw new LedgerError(module, constant, detail.replace(`${module}::${constant}: `, ""));
}

/** The folder of a data set that is named by itself or by its manifest. */
async function folderOf(source: string): Promise<string> {
  const found = await Deno.stat(source).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (found === null) {
    throw new DataError(`Cannot find ${source}: build a data set with 'deno task dataset build'`);
  }
  if (found.isDirectory) return source;
  if (basename(source) === "dataset.json") return dirname(source);
  throw new DataError(
    `Cannot use ${source}: name a data set's folder, or the dataset.json in it, which lies beside pages.bin`,
  );
}
