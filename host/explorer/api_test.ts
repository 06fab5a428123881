import assert from "node:assert/strict";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { address, ADMIN, bytes32, minerOf, TestNetwork, validatorOf } from "../ledger/testing.ts";
import { answer, type ApiParts, ROUTES } from "./api.ts";
import type { ToldState } from "../monitoring/component.ts";
import { faults, type OpenApi, readOpenApi } from "./testing.ts";
import { WindowIndex } from "./window_index.ts";

const PREFIX = "/api/v1";
/** What the server answers itself, beside `ROUTES`. */
const OF_THE_SERVER = ["/live", "/health", "/openapi.json", "/windows/{window}/receipt"];
const REF = `<img/src=x/onerror=alert(1)>"'&{{}}</script>`;

const COMPONENTS: readonly ToldState[] = [
  {
    component: "judge",
    uid: 0,
    ok: false,
    fault: { reason: "ended", detail: "Its process ended with status 137" },
    sinceMs: 5,
    last: null,
    by: "validator-0",
  },
  {
    component: "store",
    uid: null,
    ok: true,
    fault: null,
    sinceMs: 5,
    last: { reason: "unreachable", detail: "refused", fromMs: 1, untilMs: 5 },
    by: "miner",
  },
];

let api: OpenApi;
let network: TestNetwork;
let parts: ApiParts;

Deno.test.beforeAll(async () => {
  api = await readOpenApi();
  network = await TestNetwork.found({ validators: [10_000n, 9_000n] });
  const { ledger } = network;
  for (let window = 0; window < 3; window++) {
    await network.play(window, [0, 1, 2]);
    await network.report(0, window);
    await network.report(1, window, {
      measure: (uid) => uid === 1 ? { randomAfter: 950_009 } : {},
    });
    await ledger.settle(window, 64);
    for (const validator of [0, 1]) {
      await network.outcome(validator, window, {
        manifestHash: bytes32(`base ${window}`),
        currentLoss: 9_000_000,
        mergedLoss: 8_000_000,
      });
    }
  }
  network.at(3, 1_000);
  await network.commit(0, 3);
  network.at(3, 8_000);
  const gradient = { contentHash: network.content(0, 3), size: 10, codec: 1 };
  await ledger.reveal(minerOf(0), 0, 3, gradient, network.salt, REF);
  ledger.faucet(address(7), 5_000_000_000n);
  await ledger.postJob(address(7), {
    modelParamsM: 1,
    datasetTokensM: 1,
    numEpochs: 1,
    batchSize: 1,
    sequenceLength: 1,
    precision: "BF16",
    minGpuVramGb: 0,
    datasetId: 0,
    baseHash: new Uint8Array(32),
    baseRef: "<b>base</b>",
    minImprovement: 3,
  }, ledger.now() + 7_200_000);
  const index = new WindowIndex(ledger);
  await index.fill(new AbortController().signal);
  parts = {
    ledger,
    index,
    networkName: "dev",
    explorerUrl: null,
    receipt: () => Promise.resolve(null),
    components: () => Promise.resolve(COMPONENTS),
    fault: () => null,
  };
});

Deno.test.afterAll(() => network[Symbol.dispose]());

/** An answer, held against the file. */
// deno-lint-ignore no-explicit-any -- whatever the path answers
async function ask(path: string, pattern: string, query = "", status = 200): Promise<any> {
  const told = await answer(parts, path, new URLSearchParams(query));
  assert.equal(told.status, status, JSON.stringify(told.body));
  const body = JSON.parse(JSON.stringify(told.body));
  const { content } = api.paths[PREFIX + pattern]!.get.responses[status]!;
  assert.deepEqual(faults(api, content["application/json"]!.schema, body), [], path);
  return body;
}

Deno.test("openapi.json: documents every path that is answered, and no other", () => {
  const documented = Object.keys(api.paths).map((path) => path.slice(PREFIX.length));
  assert.deepEqual(documented.sort(), [...Object.keys(ROUTES), ...OF_THE_SERVER].sort());
});

Deno.test("api: every path answers as openapi.json says", async () => {
  const owner = minerOf(0);
  const asked: [path: string, pattern: string, query?: string][] = [
    ["/network", "/network"],
    ["/components", "/components"],
    ["/windows", "/windows"],
    ["/windows", "/windows", "before=2&limit=1"],
    ...[0, 1, 2, 3].map((n): [string, string] => [`/windows/${n}`, "/windows/{window}"]),
    ["/windows/1/gradients/1", "/windows/{window}/gradients/{uid}"],
    ["/curve", "/curve", "points=2"],
    ["/miners", "/miners"],
    ["/miners/2", "/miners/{uid}"],
    ["/miners/2/windows", "/miners/{uid}/windows", "limit=3"],
    ["/validators", "/validators"],
    ["/validators/1/windows", "/validators/{uid}/windows"],
    ["/measurements", "/measurements"],
    ["/datasets", "/datasets"],
    ["/jobs", "/jobs"],
    ["/jobs", "/jobs", "status=open&limit=5"],
    ["/jobs/quote", "/jobs/quote", "modelParamsM=124&datasetTokensM=1000&precision=INT8"],
    [`/wallets/${owner}`, "/wallets/{address}"],
    [`/wallets/${ADMIN}`, "/wallets/{address}"],
    [`/wallets/${address(7)}`, "/wallets/{address}"],
    ["/search", "/search", "q=1"],
    ["/search", "/search", `q=${validatorOf(0)}`],
  ];
  for (const [path, pattern, query] of asked) await ask(path, pattern, query);
  const seen = new Set(asked.map(([, pattern]) => pattern));
  assert.deepEqual([...seen].sort(), Object.keys(ROUTES).sort());
});

Deno.test("api: a window shows every gradient, and each validator beside the median", async () => {
  const { gradients, payout, validators } = await ask("/windows/1", "/windows/{window}");
  assert.deepEqual(
    gradients.map((
      row: { uid: number; verdict: string; score: number },
    ) => [row.uid, row.verdict, row.score]),
    [[0, "accepted", 50_000], [1, "accepted", 50_000], [2, "accepted", 50_000]],
  );
  assert.equal(payout.currentLoss, 9_000_000);
  const judges = validators.map((
    { same, far, largest }: Record<string, number>,
  ) => [same, far, largest]);
  assert.deepEqual(judges, [[3, 0, 0], [3, 1, 9]]);
  const { reports } = await ask("/windows/1/gradients/1", "/windows/{window}/gradients/{uid}");
  assert.deepEqual(
    reports.map((row: Record<string, unknown>) => [row.validator, row.randomAfter, row.same]),
    [[0, 950_000, true], [1, 950_009, true]],
  );
});

Deno.test("api: lists are paged by 'next', without a gap or a repeat", async () => {
  const seen: number[] = [];
  let query = "limit=2";
  for (;;) {
    const { next, windows } = await ask("/windows", "/windows", query);
    seen.push(...windows.map(({ window }: { window: number }) => window));
    if (next === null) break;
    query = `limit=2&before=${next}`;
  }
  assert.deepEqual(seen, [3, 2, 1, 0]);
});

Deno.test("api: what is out of bounds or not there is refused by name", async () => {
  const bad = [
    ["/windows", "limit=0"],
    ["/windows", "limit=201"],
    ["/windows", "before=-1"],
    ["/windows", "before=1&before=2"],
    ["/windows/x", ""],
    ["/windows/1e3", ""],
    ["/windows/99999999999999999", ""],
    ["/miners/65536", ""],
    ["/miners/1/windows", "limit=9"],
    ["/curve", "points=1"],
    ["/jobs", "status=stolen"],
    ["/jobs/quote", "modelParamsM=1"],
    ["/jobs/quote", "modelParamsM=1&datasetTokensM=1&precision=INT4"],
    ["/wallets/0x12", ""],
    ["/search", ""],
    ["/search", `q=${"a".repeat(201)}`],
  ] as const;
  for (const [path, query] of bad) {
    const told = await answer(parts, path, new URLSearchParams(query));
    assert.equal(told.status, 400, `${path}?${query}`);
    assert.deepEqual(faults(api, api.components.schemas.Error!, told.body), []);
  }
  for (const path of ["/windows/77", "/windows/1/gradients/9", "/miners/9", "/nothing", "/"]) {
    assert.equal((await answer(parts, path, new URLSearchParams())).status, 404, path);
  }
});

Deno.test("api: who only looks opens no window, and shows the newest one that somebody opened", async () => {
  using quiet = await TestNetwork.found({ readsRoll: false });
  const { ledger } = quiet;
  await quiet.play(0, [0]);
  quiet.at(5, 10);
  const index = new WindowIndex(ledger);
  await index.fill(new AbortController().signal);
  const events = await ledger.events(0, 1_000);
  for (const path of ["/network", "/windows", "/windows/0", "/curve", "/miners", "/validators"]) {
    const told = await answer({ ...parts, ledger, index }, path, new URLSearchParams());
    assert.equal(told.status, 200, `${path}: ${JSON.stringify(told.body)}`);
  }
  const told = await answer({ ...parts, ledger, index }, "/network", new URLSearchParams());
  const { current, notices } = told.body as {
    current: { window: number };
    notices: { text: string }[];
  };
  assert.equal(current.window, 0);
  assert.match(notices[0]!.text, /^Nobody has called in window 5/);
  assert.deepEqual(await ledger.events(0, 1_000), events, "reading changed nothing");
});

Deno.test("api: a ledger that does not answer is told as such", async () => {
  const broken = new Proxy(network.ledger, {
    get: () => () => Promise.reject(new Error("the disk is gone")),
  });
  const told = await answer({ ...parts, ledger: broken }, "/miners", new URLSearchParams());
  assert.equal(told.status, 503);
  assert.match(JSON.stringify(told.body), /the disk is gone/);
});

Deno.test("api: what a miner wrote comes out as it is, as data", async () => {
  const { gradients } = await ask("/windows/3", "/windows/{window}");
  assert.equal(gradients[0].ref, REF);
  const { jobs } = await ask("/jobs", "/jobs");
  assert.equal(jobs[0].spec.baseRef, "<b>base</b>");
});

Deno.test("search: finds windows, slots, addresses, bases, digests, gradients and keys", async () => {
  const find = async (text: string): Promise<string[]> => {
    const { hits } = await ask("/search", "/search", new URLSearchParams({ q: text }).toString());
    return hits.map(({ path }: { path: string }) => path);
  };
  assert.deepEqual(await find("1"), ["/window/1", "/miners/1", "/validators#1"]);
  assert.deepEqual(await find("Window 2"), ["/window/2"]);
  assert.deepEqual(await find("uid 2"), ["/miners/2"]);
  assert.deepEqual(await find(minerOf(0)), [`/wallet/${minerOf(0)}`]);
  const { digest, settled } = await network.ledger.window(1);
  assert.deepEqual(await find(toHex(settled!.digest)), ["/window/1"]);
  await ask("/windows/1", "/windows/{window}");
  assert.deepEqual(await find(toHex(digest)), ["/window/1"]);
  assert.deepEqual(await find(toHex(network.content(2, 1))), ["/window/1"]);
  assert.deepEqual(await find(toHex(network.publicKey(1))), ["/enclaves"]);
  assert.deepEqual(await find("nothing of the kind"), []);
});

Deno.test("validators: the document's every check is told, and the badge says SIMULATED", async () => {
  const { validators } = await ask("/validators", "/validators");
  for (const { badge, inspected } of validators) {
    assert.equal(badge, "SIMULATED");
    assert.equal(inspected.isAccepted, true);
    assert.deepEqual(
      new Set(inspected.checks.map(({ result }: { result: string }) => result)),
      new Set(["pass"]),
    );
    assert.deepEqual(inspected.pcrs.map((row: { approvedIn: string[] }) => row.approvedIn), [
      ["build-1"],
      ["build-1"],
      ["build-1"],
    ]);
  }
});
