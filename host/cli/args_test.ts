import assert from "node:assert/strict";
import { type ArgsIo, parseAggregatorArgs, parseMinerArgs, parseValidatorArgs } from "./args.ts";
import { parseNetworkMinerArgs } from "./args_network.ts";

class Exit extends Error {
  constructor(readonly status: number) {
    super(`exit ${status}`);
  }
}

/** What a command printed and its status, where it ended instead of returning arguments. */
function ending(
  parse: (argv: readonly string[], io: ArgsIo) => unknown,
  ...argv: string[]
): { status: number; stdout: string; stderr: string } {
  let stdout = "";
  let stderr = "";
  const io: ArgsIo = {
    stdout: (text) => stdout += text + "\n",
    stderr: (text) => stderr += text + "\n",
    exit: (status) => {
      throw new Exit(status);
    },
    colors: false,
    columns: 1_000,
  };
  try {
    assert.fail(`returned ${JSON.stringify(parse(argv, io))}`);
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { status: error.status, stdout, stderr };
  }
}

/** Options about watching a party, where none is given. */
const UNWATCHED = { logFormat: undefined, metrics: undefined, verbosity: 0 };

const COMMANDS = { parseValidatorArgs, parseMinerArgs, parseAggregatorArgs };

Deno.test("parseValidatorArgs: has a default for everything but the mode", () => {
  assert.deepEqual(parseValidatorArgs(["--test-mode"]), {
    testMode: true,
    windows: undefined,
    json: false,
    model: "small",
    miners: ["honest", "honest", "idle", "poisoned", "copier"],
    validators: 1,
    judge: undefined,
    liar: undefined,
    dataDir: undefined,
    windowSeconds: undefined,
    store: undefined,
    explorer: false,
    explorerPort: undefined,
    ...UNWATCHED,
  });
});

Deno.test("parseValidatorArgs: takes every option", () => {
  const argv =
    "--test-mode --ledger dev --windows 3 --json --model nano-gpt --miners honest,idle --validators 3 --judge vsock:16:3000 --liar swap --data-dir d --window-seconds 2.5 --store ./mine.ts -vv --explorer --explorer-port 0 --log-format json --metrics [::1]:9";
  assert.deepEqual(parseValidatorArgs(argv.split(" ")), {
    testMode: true,
    windows: 3,
    json: true,
    model: "nano-gpt",
    miners: ["honest", "idle"],
    validators: 3,
    judge: { kind: "vsock", cid: 16, port: 3_000 },
    liar: "swap",
    dataDir: "d",
    windowSeconds: 2.5,
    store: "./mine.ts",
    explorer: true,
    explorerPort: 0,
    logFormat: "json",
    metrics: { hostname: "::1", port: 9 },
    verbosity: 2,
  });
});

Deno.test("parseValidatorArgs: refuses an address that metrics cannot be served at", () => {
  const { status, stderr } = ending(parseValidatorArgs, "--test-mode", "--metrics", "http://x");
  assert.equal(status, 2);
  assert.match(stderr, /Expected HOST:PORT or a port, as in "127\.0\.0\.1:9464", but got "http/);
});

Deno.test("parseValidatorArgs: refuses a liar without a majority, and a copier without a victim", () => {
  const liar = ending(parseValidatorArgs, "--test-mode", "--validators", "2", "--liar", "swap");
  assert.equal(liar.status, 2);
  assert.match(liar.stderr, /--validators 3/);
  const copier = ending(parseValidatorArgs, "--test-mode", "--miners", "copier");
  assert.equal(copier.status, 2);
  assert.match(copier.stderr, /honest miner/);
});

Deno.test("parseValidatorArgs: takes a judge's address in each of its forms", () => {
  for (
    const [text, judge] of [
      ["unix:/run/judge.sock", { kind: "unix", path: "/run/judge.sock" }],
      ["vsock:16:3000", { kind: "vsock", cid: 16, port: 3_000 }],
      ["guest:/run/vm:3000", { kind: "guest", path: "/run/vm", port: 3_000 }],
    ] as const
  ) assert.deepEqual(parseValidatorArgs(["--test-mode", "--judge", text]).judge, judge);
});

Deno.test("parseMinerArgs: defaults to an honest miner that runs until interrupted", () => {
  assert.deepEqual(parseMinerArgs(["--test-mode", "--data-dir", "d"]), {
    ...UNWATCHED,
    testMode: true,
    dataDir: "d",
    role: "honest",
    trainer: undefined,
    device: undefined,
    codec: undefined,
    allowRead: [],
    dryRun: false,
    store: undefined,
    windows: undefined,
    json: false,
  });
});

Deno.test("parseMinerArgs: takes how to train, and the codecs that there are", () => {
  const argv = [
    ..."--test-mode --data-dir d --trainer ./mine.ts --allow-read corpus".split(" "),
    ..."--device cuda:1 --codec templar".split(" "),
  ];
  const { allowRead, codec, device, trainer } = parseMinerArgs(argv);
  assert.deepEqual({ allowRead, codec, device, trainer }, {
    allowRead: ["corpus"],
    codec: "templar",
    device: "cuda:1",
    trainer: "./mine.ts",
  });
  const { status, stderr } = ending(parseMinerArgs, ...argv.slice(0, -1), "zip");
  assert.equal(status, 2);
  assert.match(stderr, /--codec.*Expected one of "topk" and "templar", but got "zip"/);
});

Deno.test("parseMinerArgs: takes the kinds of stores and paths, and nothing else", () => {
  const store = (name: string) =>
    parseMinerArgs(["--test-mode", "--data-dir", "d", "--store", name]).store;
  for (const name of ["local", "s3", "r2", "walrus", "./mine.ts", "/abs/mine.js"]) {
    assert.equal(store(name), name);
  }
  const argv = ["--test-mode", "--data-dir", "d", "--store", "s4"];
  const { status, stderr } = ending(parseMinerArgs, ...argv);
  assert.equal(status, 2);
  assert.match(stderr, /local, r2, s3, walrus or a path/);
});

Deno.test("parseMinerArgs: refuses --no-drand and says whose choice that is", () => {
  const { status, stderr } = ending(
    parseMinerArgs,
    "--test-mode",
    "--data-dir",
    "d",
    "--no-drand",
  );
  assert.equal(status, 2);
  assert.match(stderr, /is the ledger's rule \(randomness_kind\).* the window is skipped/);
  const elsewhere = ending(parseNetworkMinerArgs, "--network", "testnet", "--no-drand");
  assert.deepEqual([elsewhere.status, elsewhere.stderr], [status, stderr]);
});

Deno.test("parseAggregatorArgs: takes the data directory", () => {
  assert.deepEqual(parseAggregatorArgs(["--data-dir", "d", "--json"]), {
    dataDir: "d",
    ...UNWATCHED,
    json: true,
  });
});

Deno.test("parseValidatorArgs, parseMinerArgs: without --test-mode they say which modes there are", () => {
  for (const argv of [[], ["--json"]]) {
    const { status, stderr } = ending(parseValidatorArgs, ...argv);
    assert.equal(status, 2);
    assert.match(stderr, /Cannot start without .--test-mode. or .--ledger sui --network NAME./);
  }
  assert.match(ending(parseMinerArgs, "--data-dir", "d").stderr, /--ledger sui --network NAME/);
});

Deno.test("parseMinerArgs, parseAggregatorArgs: without --data-dir they say which one is meant", () => {
  const miner = ending(parseMinerArgs, "--test-mode");
  const aggregator = ending(parseAggregatorArgs);
  for (const { status, stderr } of [miner, aggregator]) {
    assert.equal(status, 2);
    assert.match(stderr, /Cannot start without .--data-dir DIR.: name the directory/);
  }
});

Deno.test("parseValidatorArgs: a bad value ends with status 2 and names the option and what it takes", () => {
  const bad: [argv: string, message: RegExp][] = [
    ["--windows 0", /--windows.*greater than or equal to 1/],
    ["--windows many", /--windows.*"many"/],
    ["--windows", /--windows. requires/],
    ["--window-seconds 0", /--window-seconds.*0\.1/],
    ["--window-seconds NaN", /--window-seconds.*"NaN"/],
    ["--model smal", /--model.*"smal"[\s\S]*Did you mean "small"/],
    ["--miners honest,poison", /--miners.*"poison"[\s\S]*Did you mean "poisoned"/],
    ["--miners honest,", /--miners.*Expected one of/],
    [`--miners ${Array(33).fill("idle")}`, /--miners.*at most "32" miners/],
    ["--judge 16:3000", /--judge.*unix:PATH, vsock:CID:PORT or guest:PATH:PORT.*"16:3000"/s],
    ["--judge vsock:16", /--judge.*"vsock:16"/s],
    ["--judge vsock:4294967296:3000", /--judge.*"vsock:4294967296:3000"/s],
    ["--judge http://127.0.0.1:3000", /--judge.*"http/s],
    ["--modle tiny", /"--modle"[\s\S]*Did you mean[\s\S]*--model/],
    ["stray", /Unexpected.*"stray"/],
  ];
  for (const [argv, message] of bad) {
    const { status, stderr, stdout } = ending(
      parseValidatorArgs,
      "--test-mode",
      ...argv.split(" "),
    );
    assert.equal(status, 2, argv);
    assert.match(stderr, message);
    assert.equal(stdout, "");
  }
});

for (const [name, parse] of Object.entries(COMMANDS)) {
  Deno.test(`${name}: --help ends with status 0, explains each option and gives examples`, () => {
    const { status, stdout, stderr } = ending(parse, "--help");
    assert.equal(status, 0);
    assert.equal(stderr, "");
    assert.match(stdout, /^Usage: deno task \w+/m);
    assert.match(stdout, /^Examples:\n {2}\S.*:\n {4}deno task \w+ /m);
    assert.match(stdout, /^ {2}--json +Print one JSON object a line/m);
  });

  Deno.test(`${name}: every example of its help parses`, () => {
    const { stdout } = ending(parse, "--help");
    const lines = [...stdout.matchAll(/^ {4}deno task \w+ (.*)$/gm)];
    assert(lines.length > 0);
    for (const line of lines) {
      assert.equal(typeof parse(line[1]!.trim().split(" "), undefined as never), "object");
    }
  });

  Deno.test(`${name}: --completion prints a script for the installed command`, () => {
    const { status, stdout } = ending(parse, "--completion", "bash");
    assert.equal(status, 0);
    assert.match(stdout, /complete .*vramhub-\w+/);
  });
}

Deno.test("parseValidatorArgs: completes the roles of a list", () => {
  const { stdout } = ending(
    parseValidatorArgs,
    "--completion",
    "bash",
    "--test-mode",
    "--miners",
    "honest,po",
  );
  assert.match(stdout, /honest,poisoned/);
});
