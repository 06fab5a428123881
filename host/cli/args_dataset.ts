/**
 * Arguments of `deno task dataset`.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { lineBreak, type Message, message, text } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { type Format, FORMATS } from "../data/documents.ts";
import { type ArgsIo, examples, parse } from "./args.ts";
import { type ModelName, MODELS, storeName } from "./args_values.ts";
import { type Common, common } from "./commands/command.ts";

/** Arguments of `deno task dataset`. */
export type DatasetArgs =
  | {
    readonly action: "build";
    /** Paths and URLs. */
    readonly sources: readonly string[];
    /** Undefined tells it from the names. */
    readonly from: Format | undefined;
    /** Name of the text in a row. */
    readonly field: string;
    /** Whose tokenizer and context the pages are for. */
    readonly model: ModelName;
    /** Tokens of a page instead of the model's. */
    readonly pageTokens: number | undefined;
    /** The folder that it is built in. */
    readonly out: string;
    /** Print one JSON object a line. */
    readonly json: boolean;
  }
  | { readonly action: "verify"; readonly folder: string; readonly json: boolean }
  | {
    readonly action: "push";
    readonly folder: string;
    /** Directory of a local store; undefined takes the store of the settings. */
    readonly store: string | undefined;
    /** A kind of store, or a module that exports one, in place of the setting's. */
    readonly backend: string | undefined;
    readonly json: boolean;
  }
  | {
    readonly action: "register";
    /** The data set's folder, or its `dataset.json`. */
    readonly source: string;
    /** Anchor it for one's own jobs, as anybody may. */
    readonly forJobs: boolean;
    /** The ledger, and who calls it. */
    readonly common: Common;
    readonly json: boolean;
  };

const STATUSES: Message = [
  "The status it ends with:",
  "  0  done",
  "  1  the data is not what it must be, or cannot be had; what is built so far stays",
  "  2  called wrongly, or a setting is missing or wrong",
  "  3  a source, the store or the node cannot be reached: the same call may succeed later",
  "  130  interrupted: the same call goes on",
].flatMap((line, i): Message => i === 0 ? [text(line)] : [lineBreak(), text(line)]);

const json = option("--json", {
  description: message`Print JSON, one object a line, for other programs.`,
});

const folder = argument(path({ metavar: "DIR", type: "directory" }), {
  description: message`A data set: pages.bin, tree.bin and dataset.json.`,
});

const build = command(
  "build",
  object({
    action: constant("build"),
    sources: multiple(
      argument(string({ metavar: "FILE|URL" }), {
        description:
          message`Documents, in this order: Parquet, JSONL or text files, here or behind URLs that serve ranges. A text file is one document.`,
      }),
      { min: 1 },
    ),
    from: optional(option("--from", choice(FORMATS, { metavar: "FORMAT", suggest: "nearest" }), {
      description: message`What the sources are; told from their names without it.`,
    })),
    field: withDefault(
      option("--field", string({ metavar: "NAME" }), {
        description:
          message`Name of the text in a row. Rows of instruction, input and output without it are written as one text.`,
      }),
      "text",
    ),
    model: withDefault(
      option("--model", choice(MODELS, { metavar: "MODEL", suggest: "nearest" }), {
        description: message`Whose tokenizer and context the pages are for.`,
      }),
      "nano-gpt" as const,
    ),
    pageTokens: optional(option("--page-tokens", integer({ metavar: "N", min: 2, max: 1 << 20 }), {
      description: message`Tokens of a page, where not the model's context and one more.`,
    })),
    out: option("--out", path({ metavar: "DIR", type: "directory" }), {
      description: message`Where to build. The same call goes on where an earlier one was ended.`,
      errors: { missing: message`Cannot build without ${"--out DIR"}: name the folder for it.` },
    }),
    json,
  }),
  {
    description:
      message`Documents to pages: tokenise, cut, hash. Nothing that is done is done twice.`,
    footer: STATUSES,
  },
);

const verify = command("verify", object({ action: constant("verify"), folder, json }), {
  description: message`Hash all of a data set again: a changed byte anywhere is found and named.`,
  footer: STATUSES,
});

const push = command(
  "push",
  object({
    action: constant("push"),
    folder,
    store: optional(option("--store-dir", path({ metavar: "DIR", type: "directory" }), {
      description:
        message`A local store; without it, the store that VRAMHUB_STORAGE_BACKEND names.`,
    })),
    backend: optional(option("--store", storeName(), {
      description:
        message`Another kind of store than the setting's: local, s3 (or r2), walrus, or a module such as ./mine.ts whose default export is a store.`,
    })),
    json,
  }),
  {
    description:
      message`Put a data set into a store, from where miners and validators take a window's pages by ranges.`,
    footer: STATUSES,
  },
);

const register = command(
  "register",
  map(
    object({
      action: constant("register"),
      source: argument(path({ metavar: "DIR|MANIFEST", type: "either" }), {
        description: message`The data set's folder, or the dataset.json in it.`,
      }),
      forJobs: option("--for-jobs", {
        description:
          message`Anchor it for jobs of your own, as anybody may; without it, as the admin.`,
      }),
      common,
    }),
    (args) => ({ ...args, json: args.common.json }),
  ),
  {
    description:
      message`Verify a data set, then anchor it on the ledger: what admin dataset register does with numbers.`,
    footer: STATUSES,
  },
);

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseDatasetArgs(argv: readonly string[], io?: ArgsIo): DatasetArgs {
  return parse("deno task dataset", or(build, verify, push, register), argv, {
    brief: [
      ...message`Build, check and publish what everybody trains on.`,
      lineBreak(),
      ...STATUSES,
    ],
    examples: examples(
      ["Instructions for the tiny model", "build tasks.jsonl --model tiny --out ./tasks"],
      [
        "A shard of FineWeb-edu, by its public URL",
        "build https://huggingface.co/datasets/HuggingFaceFW/fineweb-edu/resolve/main/sample/10BT/000_00000.parquet --out ./fineweb",
      ],
      ["Every byte again", "verify ./fineweb"],
      ["For a network on this machine", "push ./fineweb --store-dir ./network/store"],
      ["Into the bucket of the settings", "push ./fineweb --store s3"],
      ["On the ledger, for jobs to name", "register ./fineweb --for-jobs --network testnet"],
    )("deno task dataset"),
  }, io) as DatasetArgs;
}
