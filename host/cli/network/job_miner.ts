/**
 * `deno task miner --job ID`: a training job, with the trainer that mines windows otherwise.
 *
 * @module
 */
import { LedgerBatches } from "../../../miner/batches.ts";
import { jobFor, JobMiner } from "../../../miner/job/job_miner.ts";
import type { JobTrainer } from "../../../miner/job/job_parts.ts";
import { ConfigError } from "../../config/mod.ts";
import { firstOf } from "../../store/job_weights.ts";
import type { NetworkMinerArgs } from "../args_network.ts";
import { openJobData } from "../open_job_data.ts";
import type { OpenLedger } from "../open_ledger.ts";
import { openTrainer } from "../open_trainer.ts";
import { RECIPES } from "../testmode/calibrate.ts";
import { openSlot, takeSlot } from "./miner.ts";
import { type NetworkHost, onLedger, openParts } from "./parts.ts";

/**
 * Bring the job of `args` as far as it can be brought now, or until the signal aborts.
 *
 * @throws {RangeError} where `args` name none.
 * @throws {ConfigError} where they ask for a dry run.
 */
export async function runJobMiner(args: NetworkMinerArgs, host: NetworkHost): Promise<void> {
  const { job } = args;
  if (job === undefined) throw new RangeError("Cannot work on a job as 'job' is not set");
  if (args.dryRun) {
    throw new ConfigError(
      "bad_value",
      "Cannot try a job with --dry-run: a claim stakes its bond. Leave --dry-run out, or see it with " +
        `'deno task vramhub job show ${job}'`,
    );
  }
  await onLedger(host, (opened) => workOn(job, opened, args, host));
}

async function workOn(
  job: number,
  opened: OpenLedger,
  args: NetworkMinerArgs,
  host: NetworkHost,
): Promise<void> {
  const { config, log, signal } = host;
  using cleanup = new DisposableStack();
  const parts = await openParts(opened, host, "work on a job", cleanup);
  // Before anything is staked: a job that is not to be had needs no slot.
  await jobFor(opened.ledger, job, await opened.caller());
  const slot = await openSlot(opened, parts, host);
  await takeSlot(opened, parts, slot, host);
  const { own, pages, store } = parts;
  const stores = [store, own.write];
  const trainer = async (
    model: typeof parts.model,
    innerSteps: number,
  ): Promise<JobTrainer & AsyncDisposable> => {
    const { lr } = RECIPES[model.name]!.training;
    const settings = { innerSteps, lr, percent: 100 };
    const context = { batches: new LedgerBatches(parts), settings };
    return (await openTrainer(args, { config, context, log, model })).adapter;
  };
  const miner = new JobMiner({
    ...parts,
    ...slot,
    store: own.write,
    read: firstOf(stores),
    data: openJobData(pages, stores),
    trainer,
    dir: `${slot.dir}/jobs`,
  });
  await miner.run(job, signal);
}
