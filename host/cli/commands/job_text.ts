/**
 * Jobs as people read them.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import type { JobRow } from "../../ledger/jobs.ts";
import { count, duration, printable, short } from "../present/format.ts";
import { coins, factLines, moment } from "../present/record.ts";
import type { Paint } from "../present/style.ts";
import { type Column, table } from "../present/table.ts";

/** A list of jobs. */
export function jobTable(rows: readonly JobRow[], now: number, width: number, paint: Paint) {
  const columns: Column<JobRow>[] = [
    { name: "job", rank: 0, align: "right", text: ({ id }) => String(id) },
    { name: "status", rank: 0, align: "left", text: ({ status }) => status },
    { name: "payout", unit: "SUI", rank: 0, align: "right", text: ({ payout }) => sui(payout) },
    {
      name: "model",
      unit: "M params",
      rank: 2,
      align: "right",
      text: ({ spec }) => count(spec.modelParamsM),
    },
    {
      name: "data",
      unit: "M tokens",
      rank: 2,
      align: "right",
      text: ({ spec }) => count(spec.datasetTokensM),
    },
    { name: "epochs", rank: 4, align: "right", text: ({ spec }) => String(spec.numEpochs) },
    { name: "format", rank: 5, align: "left", text: ({ spec }) => spec.precision },
    {
      name: "deadline",
      rank: 1,
      align: "left",
      text: ({ deadlineMs }) => deadlineMs > now ? `in ${duration(deadlineMs - now)}` : "over",
    },
    {
      name: "miner",
      rank: 3,
      align: "right",
      text: ({ miner }) => miner === null ? "–" : String(miner.uid),
    },
  ];
  return table(columns, rows, width, paint);
}

/** One job, and what can be done about it now. */
export function jobLines(job: JobRow, now: number, paint: Paint): string[] {
  const { deadlineMs, fee, held, id, miner, payout, resultHash, sinceMs, spec, status } = job;
  return factLines([
    ["job", String(id)],
    ["status", `${status} since ${moment(sinceMs)}`],
    ["customer", job.customer],
    ["miner", miner === null ? undefined : `uid ${miner.uid}, ${miner.owner}`],
    ["payout", `${coins(payout, "SUI")}, the board's fee ${coins(fee, "SUI")}`],
    [
      "held",
      `${coins(held[0], "SUI")}, bonds of miner ${coins(held[1], "SUI")} and customer ` +
      coins(held[2], "SUI"),
    ],
    ["model", `${count(spec.modelParamsM)} M parameters, ${spec.precision}`],
    [
      "data",
      `${count(spec.datasetTokensM)} M tokens × ${spec.numEpochs}, root ` +
      short(toHex(spec.datasetRoot)),
    ],
    ["step", `${spec.batchSize} sequences of ${spec.sequenceLength} tokens`],
    ["GPU", spec.minGpuVramGb === 0 ? undefined : `${spec.minGpuVramGb} GB at least`],
    ["base", `${printable(spec.baseRef)}, ${toHex(spec.baseHash)}`],
    ["goal", `held-out loss at least ${spec.minImprovement / 1e6} nats lower`],
    ["deadline", moment(deadlineMs)],
    ["result", resultHash === null ? undefined : toHex(resultHash)],
    ["next", nextStep(job, now)],
  ], paint);
}

function sui(units: bigint): string {
  return coins(units, "SUI").replace(" SUI", "");
}

/** Which command comes next. */
function nextStep({ deadlineMs, id, sinceMs, status, terms }: JobRow, now: number): string {
  switch (status) {
    case "open":
      return now < deadlineMs
        ? `job claim ${id} or 'deno task miner --job ${id}' (a miner), job cancel ${id}`
        : `job refund ${id}`;
    case "claimed":
      return now < deadlineMs ? `job complete ${id} (the miner)` : `job refund ${id}`;
    case "completed": {
      const over = sinceMs + terms.disputeWindowMs;
      return now < over
        ? `job dispute ${id} until ${moment(over)}, then job withdraw ${id}`
        : `job withdraw ${id}`;
    }
    case "disputed":
      return now < sinceMs + terms.disputeTimeoutMs
        ? `job resolve ${id} with a judge's verdict`
        : `job resolve ${id}: no verdict came`;
    case "settled":
    case "refunded":
      return "nothing: it is over";
  }
}
