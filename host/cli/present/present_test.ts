import assert from "node:assert/strict";
import { createPresenter, type PhaseEvent, type PresenterOptions } from "./mod.ts";
import { newPhases } from "./phase_once.ts";
import type { RunEvent, SettledRow } from "./events.ts";
import { statusLine } from "./terminal.ts";

const unmeasured = { ownBefore: null, ownAfter: null, randomBefore: null, randomAfter: null };

const rows: SettledRow[] = [
  {
    uid: 0,
    role: "honest",
    verdict: "accepted",
    ownBefore: 10.8231,
    ownAfter: 10.7012,
    randomBefore: 10.8199,
    randomAfter: 10.743288,
    score: 0.076612,
    mu: 27.314159,
    sigma: 7.912,
    weight: 300,
    reward: "52500000000",
    owner: "0xa1b2c3d4e5f6",
  },
  {
    uid: 1,
    role: "honest",
    verdict: "accepted",
    ownBefore: 10.8177,
    ownAfter: 10.7311,
    randomBefore: 10.8199,
    randomAfter: 10.769012,
    score: 0.050888,
    mu: 25.9,
    sigma: 7.95,
    weight: 100,
    reward: "17499999999",
    owner: "0xb1",
  },
  {
    uid: 2,
    role: "idle",
    verdict: "zero",
    ...unmeasured,
    score: null,
    mu: 22.5,
    sigma: 8.1,
    weight: 0,
    reward: "0",
    owner: "0xc1",
  },
  {
    uid: 3,
    role: "poisoned",
    verdict: "harmful",
    ownBefore: 10.8,
    ownAfter: 10.95,
    randomBefore: 10.8199,
    randomAfter: 10.920001,
    score: -0.100101,
    mu: 21,
    sigma: 8,
    weight: 0,
    reward: "0",
    owner: "0xd1",
  },
];

/** A short made-up run, in order. */
const SAMPLE: readonly RunEvent[] = [
  {
    event: "network",
    simulated: true,
    dataDir: "./network",
    model: "small",
    params: 6_521_984,
    windowMs: 12_500,
    ledger: "dev",
    judge: "local process",
    pcrs: { "0": "ab".repeat(48), "1": "cd".repeat(48) },
  },
  {
    event: "attestation",
    keyHex: "0123456789abcdef".repeat(4),
    measurement: "local build",
    root: "simulated",
    verified: true,
  },
  {
    event: "log",
    level: "info",
    target: "vramhub_miner",
    message: "Starting window",
    fields: { window: 3, uid: 1, note: "two words" },
  },
  { event: "phase", window: 3, phase: "train", progress: 0.25, detail: "miner 0, step 2 of 8" },
  { event: "phase", window: 3, phase: "train", progress: 0.5, detail: "miner 0, step 4 of 8" },
  { event: "log", level: "warn", target: "vramhub_validator", message: "Late", fields: { uid: 2 } },
  { event: "phase", window: 3, phase: "judge", progress: 1, detail: "4 gradients" },
  {
    event: "settled",
    window: 3,
    rows,
    validators: [{ uid: 0, counted: true, reason: null, reward: "0" }],
    issued: "69999999999",
    baseHash: "ef".repeat(32),
    baseMoved: true,
    currentLoss: 10.8199,
    mergedLoss: 10.7103,
  },
  { event: "heldout", atWindow: 5, loss: 10.7221, baseHash: "ef".repeat(32) },
  { event: "skipped", window: 4, reason: "no quorum" },
  {
    event: "done",
    windows: 1,
    heldoutStart: 10.83,
    heldoutEnd: 10.7221,
    paid: [{ uid: 0, role: "honest", total: "52500000000" }, { uid: 2, role: "idle", total: "0" }],
  },
];

function shown(options: Partial<PresenterOptions>, events: readonly RunEvent[] = SAMPLE): string {
  let out = "";
  const presenter = createPresenter({
    json: false,
    isTerminal: false,
    write: (text) => out += text,
    ...options,
  });
  for (const event of events) presenter.show(event);
  presenter.close();
  return out;
}

// deno-lint-ignore no-control-regex
const withoutColours = (text: string) => text.replace(/\x1b\[[0-9;]*m/g, "");

const settled = SAMPLE.filter(({ event }) => event === "settled");

Deno.test("createPresenter: a pipe gets plain lines, each phase once", () => {
  assert.equal(
    shown({ verbose: true }),
    `\
 SIMULATED  VRAM HUB test network
  model   small, 6,521,984 parameters
  window  12.5 s
  judge   local process, attested under a local test root, not by hardware
  ledger  dev (one file; no chain, no signatures of senders)
  PCR0    abababab…
  PCR1    cdcdcdcd…
  data    ./network

 SIMULATED  Judge 01234567… attestation verified: measurement local build, root simulated
INFO vramhub_miner: Starting window window=3 uid=1 note="two words"
window 3  train    miner 0, step 2 of 8
WARN vramhub_validator: Late uid=2
window 3  judge    4 gradients

 SIMULATED  Window 3 settled  69.999999999 VRAM issued
  uid  role      verdict   own pages          random pages           score         skill  weight        reward
                           loss, nats         loss, nats              nats         μ ± σ   share          VRAM
    0  honest    accepted  10.8231 → 10.7012  10.8199 → 10.7433  +0.076612  27.31 ± 7.91  75.0 %          52.5
    1  honest    accepted  10.8177 → 10.7311  10.8199 → 10.7690  +0.050888  25.90 ± 7.95  25.0 %  17.499999999
    2  idle      zero      –                  –                          –  22.50 ± 8.10   0.0 %             0
    3  poisoned  harmful   10.8000 → 10.9500  10.8199 → 10.9200  −0.100101  21.00 ± 8.00   0.0 %             0
  base efefefef… after the merge: loss 10.8199 → 10.7103 nats
  validator 0 counted, 0 VRAM
  held-out loss 10.7221 nats, base efefefef… of window 5
 SIMULATED  Window 4 skipped: no quorum

 SIMULATED  1 window settled
  Held-out loss 10.8300 → 10.7221 nats, 0.1079 lower
  uid  role    paid
               VRAM
    0  honest  52.5
    2  idle       0
`,
  );
});

Deno.test("createPresenter: the scoreboard drops its least columns in 80 columns and in 50", () => {
  assert.equal(
    shown({ columns: () => 80 }, settled),
    `\

 SIMULATED  Window 3 settled  69.999999999 VRAM issued
  uid  role      verdict   random pages           score  weight        reward
                           loss, nats              nats   share          VRAM
    0  honest    accepted  10.8199 → 10.7433  +0.076612  75.0 %          52.5
    1  honest    accepted  10.8199 → 10.7690  +0.050888  25.0 %  17.499999999
    2  idle      zero      –                          –   0.0 %             0
    3  poisoned  harmful   10.8199 → 10.9200  −0.100101   0.0 %             0
  base efefefef… after the merge: loss 10.8199 → 10.7103 nats
  validator 0 counted, 0 VRAM
`,
  );
  assert.equal(
    shown({ columns: () => 50 }, settled),
    `\

 SIMULATED  Window 3 settled  69.999999999 VRAM issued
  uid  role      verdict       score        reward
                                nats          VRAM
    0  honest    accepted  +0.076612          52.5
    1  honest    accepted  +0.050888  17.499999999
    2  idle      zero              –             0
    3  poisoned  harmful   −0.100101             0
  base efefefef… after the merge: loss 10.8199 → 10.7103 nats
  validator 0 counted, 0 VRAM
`,
  );
});

Deno.test("createPresenter: quiet output has warnings and errors, but no other log line", () => {
  const out = shown({});
  assert.match(out, /^WARN vramhub_validator: Late uid=2$/m);
  assert.doesNotMatch(out, /INFO/);
});

Deno.test("createPresenter: a clock puts the time before log lines", () => {
  const out = shown({ verbose: true, now: () => 0 });
  assert.match(
    out,
    /^1970-01-01T00:00:00\.000Z INFO vramhub_miner: Starting window window=3 uid=1/m,
  );
});

Deno.test("createPresenter: JSON has one event a line, a phase once, and wins over the terminal", () => {
  const lines = shown({ json: true, isTerminal: true }).split("\n");
  assert.equal(lines.pop(), "");
  const isNew = newPhases();
  const expected = SAMPLE.filter((event) => event.event !== "phase" || isNew(event));
  assert(expected.length < SAMPLE.length);
  assert.deepEqual(lines.map((line) => JSON.parse(line)), expected);
  const [first] = shown({ json: true, now: () => 0 }).split("\n");
  assert.equal(JSON.parse(first!).time, "1970-01-01T00:00:00.000Z");
});

/** The lines that stay on a screen after `text`, and the text of the last, unfinished one. */
function screen(text: string): string[] {
  return text.split("\n").map((line) => {
    const plain = withoutColours(line).replaceAll("\x1b[?25l", "").replaceAll("\x1b[?25h", "");
    return plain.slice(plain.lastIndexOf("\r\x1b[2K") + 1).replace("\x1b[2K", "");
  });
}

Deno.test("createPresenter: a terminal keeps what a pipe gets, phases apart, and ends on a clear line", () => {
  const terminal = screen(shown({ isTerminal: true, verbose: true }));
  const pipe = shown({ verbose: true }).split("\n").filter((line) => !/^window 3 {2}/.test(line));
  assert.deepEqual(terminal, pipe);
});

Deno.test("createPresenter: a terminal has its cursor back after close, once hidden", () => {
  const out = shown({ isTerminal: true });
  assert.equal(out.split("\x1b[?25l").length, 2);
  assert(out.endsWith("\r\x1b[2K\x1b[?25h"));
  assert(!shown({ isTerminal: true }, settled).includes("\x1b[?25"));
});

const phase: PhaseEvent = {
  event: "phase",
  window: 3,
  phase: "train",
  progress: 0.254,
  detail: "miner 0, step 2 of 8\x1b[2J",
};

Deno.test("statusLine: shows badge, phase, bar, share and detail", () => {
  assert.equal(
    withoutColours(statusLine(phase, 120)),
    " SIMULATED  window 3 train   █████░░░░░░░░░░░░░░░  25 %  miner 0, step 2 of 8�[2J",
  );
});

Deno.test("statusLine: fits any width and keeps the badge as long as it can", () => {
  for (let columns = 0; columns <= 130; columns++) {
    const line = withoutColours(statusLine(phase, columns));
    assert(line.length <= Math.max(0, columns - 1), `${columns}: ${line}`);
    if (columns > "SIMULATED".length) assert.match(line, /SIMULATE[D…]/);
  }
});

Deno.test("createPresenter: every header in every output says SIMULATED", () => {
  for (const isTerminal of [false, true]) {
    const lines = withoutColours(shown({ isTerminal })).split("\n");
    for (
      const title of ["test network", "Judge 0123", "Window 3 settled", "Window 4", "1 window"]
    ) {
      const line = lines.find((line) => line.includes(title));
      assert.match(line ?? "", /SIMULATED/, title);
    }
  }
});

Deno.test("createPresenter: control characters from outside never reach the terminal", () => {
  const bad = "\x1b]0;owned\x07\n";
  const out = shown({ verbose: true }, [
    { event: "skipped", window: 1, reason: bad },
    {
      event: "log",
      level: "info",
      target: "t",
      message: bad,
      fields: { a: bad, b: "\x1b[2J", c: "\x9b 2J" },
    },
  ]);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(out, /[\x1b\x07\x9b]/);
  assert.equal(out.split("\n").length, 3);
});
