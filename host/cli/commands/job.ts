/**
 * `job …`: the board of training jobs, paid in SUI.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { type Message, message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { ConfigError } from "../../config/mod.ts";
import { JOB_STATUSES, type JobRow, pricedSpec } from "../../ledger/jobs.ts";
import type { Address, Ledger } from "../../ledger/ledger.ts";
import { duration } from "../present/format.ts";
import { coins, factLines } from "../present/record.ts";
import { type Context, defineCommand, type Entry, type Result } from "./command.ts";
import { deadlineOf, details, jobId, size, specOf } from "./job_args.ts";
import { jobLines, jobTable } from "./job_text.ts";
import { hexBytes } from "./values.ts";
import { readVerdict } from "./verdict_file.ts";

const board = defineCommand(
  "board",
  message`Show the board: its terms, fees, and how many jobs wait.`,
  ["on testnet", "job board --network testnet"],
  object({}),
  async (context) => {
    using opened = await context.open();
    const { ledger } = opened;
    const [{ fees, nextId, terms }, open] = await Promise.all([
      ledger.jobBoard(),
      ledger.jobs("open", 100),
    ]);
    return {
      json: { terms, fees, posted: nextId, open: open.length },
      text: (paint) =>
        factLines([
          ["open jobs", open.length === 100 ? "100 or more" : String(open.length)],
          ["posted", String(nextId)],
          ["price", `${coins(terms.pricePerUnit, "SUI")} for 10^15 parameters × tokens × epochs`],
          ["least price", coins(terms.minPrice, "SUI")],
          ["fee", `${terms.feeBps / 100} % on top, ${coins(fees, "SUI")} held`],
          ["bond", `${terms.bondBps / 100} % of the payout, of a claim and of a dispute`],
          [
            "dispute",
            `${duration(terms.disputeWindowMs)} to open one, ${
              duration(terms.disputeTimeoutMs)
            } for a verdict`,
          ],
          ["no verdict", `the miner gets ${terms.defaultSplitBps / 100} %`],
        ], paint),
    };
  },
);

const list = defineCommand(
  "list",
  message`List jobs, the newest first.`,
  ["what a miner can claim", "job list --status open"],
  object({
    status: optional(
      option("--status", choice(JOB_STATUSES, { metavar: "STATUS", suggest: "nearest" }), {
        description: message`Only jobs that stand so.`,
      }),
    ),
    limit: withDefault(
      option("--limit", integer({ metavar: "N", min: 1, max: 1_000 }), {
        description: message`How many at most.`,
      }),
      50,
    ),
  }),
  async (context, { limit, status }) => {
    using opened = await context.open();
    const rows = await opened.ledger.jobs(status, limit);
    const now = opened.ledger.now();
    return {
      json: { jobs: rows },
      text: (paint, width) =>
        rows.length === 0 ? ["there is no such job"] : jobTable(rows, now, width, paint),
    };
  },
);

const show = defineCommand(
  "show",
  message`Show a job, and what can be done about it now.`,
  ["job 7", "job show 7"],
  object({ id: jobId }),
  async (context, { id }) => {
    using opened = await context.open();
    return shown(await jobOf(opened.ledger, id), opened.ledger.now());
  },
);

const price = defineCommand(
  "price",
  message`Say what a job would cost now.`,
  [
    "a model of 124 M parameters, once over 1,000 M tokens",
    "job price --model-params-m 124 --dataset-tokens-m 1000",
  ],
  size,
  async (context, size) => {
    using opened = await context.open();
    const quote = await opened.ledger.quoteJob(pricedSpec(size));
    const total = quote.payout + quote.fee;
    return {
      json: { ...quote, total },
      text: (paint) =>
        factLines([
          ["payout", coins(quote.payout, "SUI")],
          ["fee", coins(quote.fee, "SUI")],
          ["to pay", coins(total, "SUI")],
        ], paint),
    };
  },
);

const post = defineCommand(
  "post",
  message`Post a job and pay for it; the payment waits in escrow.`,
  [
    "to be delivered within two days",
    "job post --model-params-m 124 --dataset-tokens-m 1000 --dataset-id 0 " +
    `--base-hash ${
      "ab".repeat(32)
    } --base-ref checkpoint-7-v1.manifest --min-improvement 0.2 --hours 48`,
  ],
  object({ size, more: details }),
  async (context, { more, size }) => {
    using opened = await context.open();
    const { ledger } = opened;
    const spec = specOf(size, more);
    const caller = await opened.caller();
    const id = await ledger.postJob(caller, spec, deadlineOf(more, ledger.now()));
    return shown(await jobOf(ledger, id), ledger.now());
  },
);

const claim = defineCommand(
  "claim",
  message`Claim an open job for your miner, with a bond.`,
  ["as miner 3", "job claim 7 --miner-uid 3"],
  object({
    id: jobId,
    minerUid: optional(option("--miner-uid", integer({ metavar: "UID", min: 0, max: 65_535 }), {
      description: message`The miner's slot; VRAMHUB_MINER_UID without it.`,
    })),
  }),
  (context, { id, minerUid }) => {
    const uid = minerUid ?? context.config.require("MINER_UID", "claim a job", "--miner-uid");
    return act(context, id, (ledger, caller) => ledger.claimJob(caller, id, uid));
  },
);

const complete = defineCommand(
  "complete",
  message`Deliver a job: hash of the result's manifest, and where it lies.`,
  ["job 7", `job complete 7 --result-ref job-7.json --result-hash ${"cd".repeat(32)}`],
  object({
    id: jobId,
    ref: option("--result-ref", "--result-blob-id", string({ metavar: "REF" }), {
      description: message`Where the result lies.`,
    }),
    hash: option("--result-hash", hexBytes(32, "HASH"), {
      description: message`SHA-256 of its manifest.`,
    }),
  }),
  (context, { hash, id, ref }) =>
    act(context, id, (ledger, caller) => ledger.completeJob(caller, id, hash, ref)),
);

/** A command that does one thing about a job. */
function simple(
  name: string,
  brief: Message,
  what: string,
  call: (ledger: Ledger, caller: Address, id: number) => Promise<void>,
): Entry {
  return defineCommand(
    name,
    brief,
    [what, `job ${name} 7`],
    object({ id: jobId }),
    (context, { id }) => act(context, id, (ledger, caller) => call(ledger, caller, id)),
  );
}

const resolve = defineCommand(
  "resolve",
  message`End a dispute: by a judge's signed verdict, or without one when its time is over.`,
  ["by a verdict", "job resolve 7 --verdict verdict.json"],
  object({
    id: jobId,
    verdict: optional(option("--verdict", path({ metavar: "FILE" }), {
      description: message`JSON of message and signature, hex.`,
    })),
  }),
  async (context, { id, verdict }) => {
    const signed = verdict === undefined ? undefined : await readVerdict(verdict);
    return await act(
      context,
      id,
      (ledger, caller) =>
        signed === undefined
          ? ledger.expireDispute(caller, id)
          : ledger.resolveDispute(caller, signed.message, signed.signature),
    );
  },
);

/** All of them. */
export const JOB_COMMANDS: readonly Entry[] = [
  board,
  list,
  show,
  price,
  post,
  claim,
  complete,
  simple(
    "withdraw",
    message`Have a delivery paid whose dispute window is over; anyone may.`,
    "a miner's pay",
    (ledger, caller, id) => ledger.settleJob(caller, id),
  ),
  simple(
    "refund",
    message`Take the payment back of a job that was not delivered in time; the customer.`,
    "a late job",
    (ledger, caller, id) => ledger.refundJob(caller, id),
  ),
  simple(
    "cancel",
    message`Take a job back that nobody claimed; the customer.`,
    "an open job",
    (ledger, caller, id) => ledger.cancelJob(caller, id),
  ),
  simple(
    "release",
    message`Give a claim back before the deadline, for the bond; the miner.`,
    "a job that is too much",
    (ledger, caller, id) => ledger.releaseJob(caller, id),
  ),
  simple(
    "dispute",
    message`Dispute a delivery, with a bond; the customer.`,
    "a bad delivery",
    (ledger, caller, id) => ledger.disputeJob(caller, id),
  ),
  resolve,
];

/** Do one thing about a job and show it. */
async function act(
  context: Context,
  id: number,
  call: (ledger: Ledger, caller: Address) => Promise<void>,
): Promise<Result> {
  using opened = await context.open();
  const { ledger } = opened;
  await call(ledger, await opened.caller());
  return shown(await jobOf(ledger, id), ledger.now());
}

async function jobOf(ledger: Ledger, id: number): Promise<JobRow> {
  const job = await ledger.job(id);
  if (job !== null) return job;
  throw new ConfigError("missing", `Cannot show job ${id}: there is none, or it was forgotten`);
}

function shown(job: JobRow, now: number): Result {
  return { json: job, text: (paint) => jobLines(job, now, paint) };
}
