/**
 * `ledger …`: networks and their profiles, publishing, test coins, and what the ledger's log holds.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import {
  ConfigError,
  type Network,
  networkOf,
  networksPath,
  OBJECT_NAMES,
  readNetworks,
  saveNetwork,
  type SuiNetwork,
} from "../../config/mod.ts";
import type { LedgerEvent } from "../../ledger/ledger.ts";
import { readInput } from "../audit/input.ts";
import { printable } from "../present/format.ts";
import { coins, factLines, jsonLine, moment } from "../present/record.ts";
import { type Column, table } from "../present/table.ts";
import { type Context, defineCommand, type Entry } from "./command.ts";
import { approveAtGenesis, found } from "./found.ts";
import { type BuiltPackage, parseBuild } from "./publish.ts";
import { address, amount } from "./values.ts";

/** Most bytes of a built package as JSON. */
const MAX_BUILD_BYTES = 1 << 20;
/** What the faucet gives without an amount: enough for a validator's stake. */
const FAUCET_AMOUNT = 20_000_000_000n;

const publish = defineCommand(
  "publish",
  message`Publish the contracts on a network, in one transaction, and write its profile.`,
  ["on a local network", "ledger publish --network localnet"],
  object({
    package: optional(option("--package", path({ metavar: "FILE" }), {
      description: message`Output of 'deno task contracts:build --json'; built anew without it.`,
    })),
  }),
  async (context, args) => {
    const { config, outside, surroundings } = context;
    const name = config.get("NETWORK")!;
    const path = networksPath(config, surroundings.home);
    const network = suiNetwork(context, name);
    if (path === undefined) {
      throw new ConfigError("missing", "Cannot keep the profile: set VRAMHUB_NETWORKS_FILE");
    }
    context.progress("Building the package");
    const built = args.package === undefined ? await build() : parseBuild(
      new TextDecoder().decode(await readInput(args.package, { maxBytes: MAX_BUILD_BYTES })),
      args.package,
    );
    context.progress(`Publishing ${built.modules.length} modules on ${name}`);
    const published = await outside.publish(built, name, network, config);
    await saveNetwork(path, name, published.network);
    return {
      json: { ...published, file: path },
      text: (paint) =>
        factLines([
          ["package", published.network.packageId],
          ["transaction", published.transaction],
          ["profile", `${name} in ${path}`],
        ], paint),
    };
  },
);

/** The package as `deno task contracts:build` makes it, in a process of its own. */
async function build(): Promise<BuiltPackage> {
  const script = new URL("../../../contracts/tool/main.ts", import.meta.url).pathname;
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", decodeURIComponent(script), "build", "--json"],
  }).output();
  if (code !== 0) {
    const said = new TextDecoder().decode(stderr).trim();
    throw new ConfigError("bad_file", `Cannot build the package: ${said}`);
  }
  return parseBuild(new TextDecoder().decode(stdout), "the built package");
}

const faucet = defineCommand(
  "faucet",
  message`Get test SUI: on a dev ledger out of nothing, on a local network from its faucet.`,
  ["on a dev ledger", "ledger faucet --data-dir ./network --amount 20sui"],
  object({
    to: optional(
      option("--to", address(), { description: message`For whom; the caller without it.` }),
    ),
    amount: withDefault(
      option("--amount", amount("sui"), {
        description: message`In MIST, or as in 1.5sui; a network's faucet decides itself.`,
      }),
      FAUCET_AMOUNT,
    ),
  }),
  async (context, args) => {
    const { config } = context;
    const name = config.get("NETWORK")!;
    const chosen = config.get("LEDGER") === "sui"
      ? networkOf(name, allNetworks(context), config)
      : null;
    // Whoever publishes needs coins before there is a package.
    if (chosen?.ledger === "sui" && chosen.packageId === undefined) {
      if (chosen.faucetUrl === undefined) throw withoutFaucet(name);
      const { fundSui } = await import("../open_sui.ts");
      const address = await fundSui(chosen.faucetUrl, config, args.to);
      return { json: { address }, text: () => [`the faucet of ${name} has funded ${address}`] };
    }
    using opened = await context.open();
    const { faucet, ledger, network } = opened;
    if (faucet === null) throw withoutFaucet(network);
    const to = args.to ?? await opened.caller();
    await faucet(to, args.amount);
    const { sui } = await ledger.balance(to);
    return { json: { address: to, sui }, text: () => [`${to} holds ${coins(sui, "SUI")}`] };
  },
);

function withoutFaucet(network: string): ConfigError {
  return new ConfigError(
    "missing",
    network === "testnet"
      ? "Cannot get test SUI from here: use the page at https://faucet.sui.io"
      : `Cannot get test SUI on ${network}: it has no faucet`,
  );
}

const profile = defineCommand(
  "profile",
  message`Show a network's profile, with what settings replace in it.`,
  ["of testnet", "ledger profile testnet"],
  object({ name: optional(argument(string({ metavar: "NAME" }))) }),
  (context, args) => {
    const name = args.name ?? context.config.get("NETWORK")!;
    const network = networkOf(name, allNetworks(context), context.config);
    return Promise.resolve({
      json: { name, ...network },
      text: (paint) =>
        network.ledger === "dev"
          ? [`${name}: the dev ledger of a folder (--data-dir)`]
          : factLines([
            ["network", name],
            ["node", network.url],
            ["chain", network.chainId ?? "taken from the node when publishing"],
            ["explorer", network.explorerUrl],
            ["faucet", network.faucetUrl],
            ["package", network.packageId ?? "not published yet: ledger publish"],
            ...OBJECT_NAMES.map((object) => [object, network.objects?.[object]] as const),
          ], paint),
    });
  },
);

const networks = defineCommand(
  "networks",
  message`List the known networks and your own.`,
  ["all of them", "ledger networks"],
  object({}),
  (context) => {
    const rows = Object.entries(allNetworks(context));
    const columns: Column<[string, Network]>[] = [
      { name: "network", rank: 0, align: "left", text: ([name]) => name },
      { name: "ledger", rank: 1, align: "left", text: ([, { ledger }]) => ledger },
      { name: "state", rank: 0, align: "left", text: ([, network]) => stateOf(network) },
      {
        name: "node",
        rank: 2,
        align: "left",
        text: ([, network]) => network.ledger === "sui" ? network.url : "–",
      },
    ];
    return Promise.resolve({
      json: { networks: Object.fromEntries(rows) },
      text: (paint, width) => table(columns, rows, width, paint),
    });
  },
);

function stateOf(network: Network): string {
  if (network.ledger === "dev") return "in a folder";
  return network.packageId === undefined ? "not published yet" : "published";
}

const events = defineCommand(
  "events",
  message`Show the ledger's log: every transition, in order.`,
  ["the first ten slashings", "ledger events --kind Slashed --limit 10"],
  object({
    after: withDefault(
      option("--after", integer({ metavar: "SEQ", min: 0 }), {
        description: message`Begin behind this number.`,
      }),
      0,
    ),
    limit: withDefault(
      option("--limit", integer({ metavar: "N", min: 1, max: 1_000 }), {
        description: message`How many at most.`,
      }),
      50,
    ),
    kind: optional(option("--kind", string({ metavar: "TEXT" }), {
      description: message`Only those whose module::Name contains this.`,
    })),
  }),
  async (context, { after, kind, limit }) => {
    using opened = await context.open();
    const rows: LedgerEvent[] = [];
    for (let at = after; rows.length < limit;) {
      const page = await opened.ledger.events(at, 1_000);
      if (page.length === 0 || context.signal.aborted) break;
      rows.push(...page.filter((event) => kind === undefined || event.kind.includes(kind)));
      at = page.at(-1)!.seq;
    }
    const shown = rows.slice(0, limit);
    const columns: Column<LedgerEvent>[] = [
      { name: "seq", rank: 0, align: "right", text: ({ seq }) => String(seq) },
      { name: "time", rank: 2, align: "left", text: ({ atMs }) => moment(atMs) },
      { name: "window", rank: 3, align: "right", text: ({ window }) => String(window) },
      { name: "event", rank: 0, align: "left", text: (event) => printable(event.kind) },
      {
        name: "fields",
        rank: 1,
        align: "left",
        text: ({ body }) => cut(printable(jsonLine(body))),
      },
    ];
    return {
      json: { events: shown },
      text: (paint, width) =>
        shown.length === 0 ? ["there is no such event"] : table(columns, shown, width, paint),
    };
  },
);

/** A line's worth; `--json` has all of it. */
function cut(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

const roll = defineCommand(
  "roll",
  message`Bring the ledger to the running window; every other call does it too.`,
  ["after a quiet time", "ledger roll"],
  object({}),
  async (context) => {
    using opened = await context.open();
    await opened.ledger.roll(await opened.caller());
    const window = await opened.ledger.currentWindow();
    return { json: { window }, text: () => [`the ledger stands in window ${window}`] };
  },
);

/** All of them. */
export const LEDGER_COMMANDS: readonly Entry[] = [
  publish,
  approveAtGenesis,
  found,
  faucet,
  profile,
  networks,
  events,
  roll,
];

function allNetworks({ config, surroundings }: Context) {
  return readNetworks(networksPath(config, surroundings.home));
}

function suiNetwork(context: Context, name: string): SuiNetwork {
  const network = networkOf(name, allNetworks(context), context.config);
  if (network.ledger === "sui") return network;
  throw new ConfigError("bad_value", `Cannot publish on ${name}: it is no network on Sui`);
}
