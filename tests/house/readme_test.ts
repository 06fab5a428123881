import assert from "node:assert/strict";
import {
  type ArgsIo,
  parseAggregatorArgs,
  parseMinerArgs,
  parseValidatorArgs,
} from "../../host/cli/args.ts";
import {
  isForNetwork,
  parseNetworkAggregatorArgs,
  parseNetworkArgs,
  parseNetworkMinerArgs,
} from "../../host/cli/args_network.ts";
import { parseDatasetArgs } from "../../host/cli/args_dataset.ts";
import { parseExplorerArgs } from "../../host/cli/args_explorer.ts";
import { parseTrainerArgs } from "../../host/cli/args_trainer.ts";
import { parseCall } from "../../host/cli/commands/run.ts";
import { imports } from "./graph.ts";
import { type Project, untruths } from "./readme.ts";
import { read, ROOT } from "./sources.ts";

const edges = await imports();
const tasks: Record<string, unknown> = JSON.parse(read("deno.json")).tasks;
type Parser = (argv: readonly string[], io: ArgsIo) => unknown;
/** As the commands choose: test mode, or a network. */
const either = (test: Parser, network: Parser): Parser => (argv, io) =>
  isForNetwork(argv) ? network(argv, io) : test(argv, io);
const PARSERS: Record<string, Parser> = {
  validator: either(parseValidatorArgs, parseNetworkArgs),
  miner: either(parseMinerArgs, parseNetworkMinerArgs),
  aggregator: either(parseAggregatorArgs, parseNetworkAggregatorArgs),
  vramhub: parseCall,
  explorer: parseExplorerArgs,
  dataset: parseDatasetArgs,
  trainer: parseTrainerArgs,
};

const project: Project = {
  exists(path) {
    try {
      return Deno.statSync(new URL(path, ROOT)) !== undefined;
    } catch {
      return false;
    }
  },
  importers: (name) => edges.filter(({ npm }) => npm === name).map(({ from }) => from),
  refusal(task, args) {
    if (!(task in tasks)) return "there is no such task";
    let said = "";
    const note = (text: string) => said += text;
    const io: ArgsIo = {
      stdout: note,
      stderr: note,
      exit: (status) => {
        throw new Error(status === 0 ? "" : said);
      },
    };
    try {
      PARSERS[task]?.(args, io);
      return undefined;
    } catch (error) {
      return (error as Error).message || undefined;
    }
  },
};

Deno.test("README: its packages, paths and commands are true", () => {
  assert.deepEqual(untruths(read("README.md"), project), []);
});

const TRUE = `# Title
\`npx -y deno@2.9.6 task validator --test-mode\` and
    deno task test
See [the rules](tests/house/directions.ts#rules) and [a site](https://example.org/x).
| package | where |
|---|---|
| \`@mysten/sui\` | to come, in \`host/ledger/sui.ts\` |
| \`@aws-sdk/client-s3\` | to come |
| \`@noble/ed25519\` | to come |
| \`cbor-x\` | \`enclave/protocol/\` |
| \`@peculiar/x509\` | to come |
| \`onnxruntime-node\` | to come |
| \`jsr:@std/cli\` | \`@optique/core\` in \`host/cli/args.ts\` |
`;

const sample: Project = {
  exists: (path) =>
    path.startsWith("tests/house/") || path === "enclave/protocol/" || path === "host/cli/args.ts",
  importers: (name) =>
    ({ "cbor-x": ["enclave/protocol/cbor.ts"], "@optique/core": ["host/cli/args.ts"] })[name] ?? [],
  refusal: project.refusal,
};

Deno.test("untruths: a true README has none", () => {
  assert.deepEqual(untruths(TRUE, sample), []);
});

Deno.test("untruths: each kind of false claim is found", () => {
  const lies: [from: string, to: string, found: RegExp][] = [
    ["| `cbor-x` | `enclave/protocol/` |", "| `cbor-x` | to come |", /to come, and .*cbor\.ts/],
    ["| `@peculiar/x509` | to come |", "| `@peculiar/x509` | used |", /names no file/],
    ["| `@peculiar/x509` | to come |", "", /No table row about @peculiar\/x509/],
    ["`enclave/protocol/`", "`enclave/model/`", /not imported by enclave\/model/],
    ["tests/house/directions.ts#rules", "gone.md", /There is no gone\.md/],
    ["task test", "task tset", /no such task/],
    ["task test", "task vramhub scroes --uid 1", /Cannot call .*scroes/],
    ["task test", "task miner --ledger sui --network x --role idle", /Cannot call .*--role/],
    ["--test-mode`", "--test-mode --windows 0`", /Cannot call .*--windows 0/],
    ["deno task test", "nothing", /two commands/],
    ["validator --test-mode", "miner --test-mode --data-dir d", /validator --test-mode/],
  ];
  for (const [from, to, found] of lies) {
    assert.match(untruths(TRUE.replace(from, to), sample).join("\n"), found, to);
  }
});
