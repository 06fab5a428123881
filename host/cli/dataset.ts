/**
 * `deno task dataset build|verify|push|register`: what everybody trains on.
 *
 * @module
 */
import { pageTokens, PRESETS } from "../../enclave/model/presets.ts";
import { tokenizerName } from "../../enclave/model/tokenizer.ts";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { datasetRoot } from "../../enclave/protocol/dataset.ts";
import { buildDataset, type BuildProgress } from "../data/build.ts";
import { verifyFolder } from "../data/folder.ts";
import type { DatasetFile } from "../data/manifest.ts";
import { indexKey, pushDataset } from "../data/shared.ts";
import { Config, loadConfig, processSurroundings } from "../config/mod.ts";
import { SYSTEM_CLOCK } from "../ledger/clock.ts";
import { LocalStore } from "../store/local.ts";
import type { Store } from "../store/store.ts";
import { type DatasetArgs, parseDatasetArgs } from "./args_dataset.ts";
import { statusOf } from "./commands/exit.ts";
import { registerFolder } from "./dataset_register.ts";
import { interruptSignal, useNativeSha256 } from "./native.ts";
import { openLedger } from "./open_ledger.ts";
import { openStores } from "./open_store.ts";

/** Between two lines of progress. */
const EVERY_MS = 1_000;

type Say = (event: string, facts: Record<string, unknown>, text: string) => void;

/** The settings of a call: `build` and `verify` have none. */
function configOf(args: DatasetArgs): Config {
  switch (args.action) {
    case "push":
      return loadConfig(processSurroundings(), { STORAGE_BACKEND: args.backend });
    case "register":
      return loadConfig(processSurroundings(), args.common.flags);
    default:
      return new Config([]);
  }
}

async function run(
  args: DatasetArgs,
  config: Config,
  say: Say,
  signal: AbortSignal,
): Promise<void> {
  switch (args.action) {
    case "build":
      return await build(args, say, signal);
    case "verify":
      return tell("verified", args.folder, await verifyFolder(args.folder), say);
    case "push": {
      if (args.store !== undefined) {
        return await push(args.folder, await LocalStore.open(args.store), say, signal);
      }
      using stores = await openStores(config);
      await push(args.folder, stores.write, say, signal);
      if (stores.catalog !== null) {
        const ref = (await Deno.readTextFile(stores.catalog)).trim();
        say(
          "listed",
          { catalog: ref, file: stores.catalog },
          [
            `Others find it with VRAMHUB_WALRUS_CATALOG=${ref}`,
            `or with the URL of a copy of ${stores.catalog}, which follows what is published`,
          ].join("\n"),
        );
      }
      return;
    }
    case "register": {
      const { common, forJobs, source } = args;
      const { home } = processSurroundings();
      using opened = await openLedger(config, { clock: SYSTEM_CLOCK, home, as: common.as });
      const { caller, ledger, network } = opened;
      const { about, id } = await registerFolder(source, { ledger, caller, forJobs });
      const { model, dataset: { pageTokens } } = await ledger.info();
      const own = about.dataset.pageTokens;
      const note = own === pageTokens ? {} : {
        note: `pages of ${own} tokens, and ${model}, this network's model, takes ${pageTokens}: ` +
          "see 'dataset build --model'",
      };
      return tell("registered", source, about, say, { id, network, ...note });
    }
  }
}

async function push(folder: string, store: Store, say: Say, signal: AbortSignal): Promise<void> {
  const seldom = atMostEvery(EVERY_MS);
  const report = (share: number) =>
    seldom(() => say("progress", { share }, `${percent(share)} sent`));
  const ref = await pushDataset(folder, store, report, signal);
  say("pushed", { ref }, `Pushed: ${ref}`);
}

async function build(
  args: Extract<DatasetArgs, { action: "build" }>,
  say: Say,
  signal: AbortSignal,
): Promise<void> {
  const config = PRESETS[args.model];
  const { sources, from, field, out } = args;
  const plan = {
    sources,
    ...(from === undefined ? {} : { format: from }),
    field,
    tokenizer: tokenizerName(config),
    pageTokens: args.pageTokens ?? pageTokens(config),
    out,
  };
  const seldom = atMostEvery(EVERY_MS);
  const report = ({ source, share, documents, pages }: BuildProgress) =>
    seldom(() =>
      say(
        "progress",
        { source: sources[source], share, documents, pages },
        `${source + 1}/${sources.length} ${percent(share)}  ${documents} documents, ${pages} pages`,
      )
    );
  tell("built", out, await buildDataset(plan, report, signal), say);
}

function tell(
  event: string,
  folder: string,
  { dataset }: DatasetFile,
  say: Say,
  more: Record<string, unknown> = {},
): void {
  const root = toHex(datasetRoot(dataset));
  const { pageCount, pageTokens, merkleRoot, tokenizerHash } = dataset;
  const facts = {
    folder,
    root,
    page_count: pageCount,
    page_tokens: pageTokens,
    merkle_root: toHex(merkleRoot),
    tokenizer_hash: toHex(tokenizerHash),
    index: indexKey(datasetRoot(dataset)),
    ...more,
  };
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  const lines = Object.entries(facts).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  say(event, facts, [`${event[0]!.toUpperCase()}${event.slice(1)}:`, ...lines].join("\n"));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function atMostEvery(ms: number): (call: () => void) => void {
  let last = 0;
  return (call) => {
    if (Date.now() - last < ms) return;
    last = Date.now();
    call();
  };
}

if (import.meta.main) {
  const args = parseDatasetArgs(Deno.args);
  useNativeSha256();
  const signal = interruptSignal();
  let config = new Config([]);
  try {
    config = configOf(args);
    await run(args, config, (event, facts, text) => {
      console.log(args.json ? JSON.stringify({ event, ...facts }) : text);
    }, signal);
    Deno.exit(0);
  } catch (error) {
    console.error(
      `error: ${config.redact(error instanceof Error ? error.message : String(error))}`,
    );
    Deno.exit(signal.aborted ? 130 : statusOf(error));
  }
}
