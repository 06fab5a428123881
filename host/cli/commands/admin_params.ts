/**
 * `admin hparams`, `admin job-terms` and `admin dataset …`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { argument, option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import {
  checkHparams,
  HPARAM_FIELDS,
  type HparamName,
  type Hparams,
  hparamsDigest,
} from "../../../enclave/protocol/hparams.ts";
import { ConfigError } from "../../config/mod.ts";
import type { JobTerms } from "../../ledger/jobs.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { factLines } from "../present/record.ts";
import { assignments, changed } from "./assignments.ts";
import { defineCommand, type Entry } from "./command.ts";
import { hexBytes } from "./values.ts";

const hparams = defineCommand(
  "hparams",
  message`Show the hparams of the running window, or change some from the next window on.`,
  ["merge the best twenty", "admin hparams top_g=20"],
  object({ changes: assignments }),
  async (context, { changes }) => {
    using opened = await context.open();
    const { ledger } = opened;
    const [before, info] = await Promise.all([running(ledger), ledger.info()]);
    const after = changed<Hparams>(before, changes, (value) => Number(value));
    if (changes.length > 0) {
      checkHparams(after, info.beacon.periodMs); // the field at fault, before anything is sent
      await ledger.setHparams(await opened.caller(), after);
    }
    return {
      json: { hparams: after, digest: hparamsDigest(after), changed: changes.length > 0 },
      text: (paint) =>
        factLines(
          HPARAM_FIELDS.map(([name]) => [name, valueText(name, before, after)] as const),
          paint,
        ),
    };
  },
);

async function running(ledger: Ledger): Promise<Hparams> {
  return (await ledger.window(await ledger.currentWindow())).hparams;
}

function valueText(name: HparamName, before: Hparams, after: Hparams): string {
  return before[name] === after[name]
    ? String(before[name])
    : `${before[name]} → ${after[name]} from the next window on`;
}

const jobTerms = defineCommand(
  "job-terms",
  message`Show the terms of the job board, or change some for jobs to come.`,
  ["a day to dispute a delivery", "admin job-terms disputeWindowMs=86400000"],
  object({ changes: assignments }),
  async (context, { changes }) => {
    using opened = await context.open();
    const { ledger } = opened;
    const { terms } = await ledger.jobBoard();
    const after = changed<JobTerms>(
      terms,
      changes,
      (value, name) => typeof terms[name as keyof JobTerms] === "bigint" ? value : Number(value),
    );
    if (changes.length > 0) await ledger.setJobTerms(await opened.caller(), after);
    return {
      json: { terms: after, changed: changes.length > 0 },
      text: (paint) =>
        factLines(Object.entries(after).map(([name, value]) => [name, String(value)]), paint),
    };
  },
);

const datasetId = argument(integer({ metavar: "ID", min: 0 }));

const register = defineCommand(
  "register",
  message`Anchor a data set; with --for-jobs as anybody, for one's own jobs.`,
  [
    "of 4,096 pages",
    "admin dataset register --page-count 4096 --page-tokens 257 " +
    `--tokenizer-hash ${"12".repeat(32)} --merkle-root ${"34".repeat(32)}`,
  ],
  object({
    pageCount: option("--page-count", integer({ metavar: "N", min: 1 }), {
      description: message`Number of its pages.`,
    }),
    pageTokens: option("--page-tokens", integer({ metavar: "N", min: 1 }), {
      description: message`Tokens in each.`,
    }),
    tokenizerHash: option("--tokenizer-hash", hexBytes(32, "HASH"), {
      description: message`Hash of the tokenizer.`,
    }),
    merkleRoot: option("--merkle-root", hexBytes(32, "HASH"), {
      description: message`Merkle root of the pages.`,
    }),
    forJobs: option("--for-jobs", { description: message`For jobs, by anybody.` }),
  }),
  async (context, { forJobs, ...dataset }) => {
    using opened = await context.open();
    const { ledger } = opened;
    const caller = await opened.caller();
    const id = forJobs
      ? await ledger.registerJobDataset(caller, dataset)
      : await ledger.registerDataset(caller, dataset);
    return { json: { id, ...dataset }, text: () => [`data set ${id}`] };
  },
);

const retire = defineCommand(
  "retire",
  message`Retire a data set: no new job may name it.`,
  ["number 2", "admin dataset retire 2"],
  object({ id: datasetId }),
  async (context, { id }) => {
    using opened = await context.open();
    await opened.ledger.retireDataset(await opened.caller(), id);
    return { json: { retired: id }, text: () => [`data set ${id} is retired`] };
  },
);

const show = defineCommand(
  "show",
  message`Show an anchored data set.`,
  ["the first one", "admin dataset show 0"],
  object({ id: datasetId }),
  async (context, { id }) => {
    using opened = await context.open();
    const row = await opened.ledger.dataset(id);
    if (row === null) {
      throw new ConfigError("missing", `Cannot show data set ${id}: there is none`);
    }
    return {
      json: row,
      text: (paint) =>
        factLines([
          ["data set", `${id}${row.retired ? ", retired" : ""}`],
          ["root", toHex(row.root)],
          ["pages", `${row.pageCount} of ${row.pageTokens} tokens`],
          ["tokenizer", toHex(row.tokenizerHash)],
          ["merkle root", toHex(row.merkleRoot)],
          ["owner", row.owner ?? "the admin"],
        ], paint),
    };
  },
);

/** `admin hparams` and `admin job-terms`. */
export const PARAM_COMMANDS: readonly Entry[] = [hparams, jobTerms];
/** `admin dataset …`. */
export const DATASET_COMMANDS: readonly Entry[] = [register, retire, show];
