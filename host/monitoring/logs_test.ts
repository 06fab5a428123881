import assert from "node:assert/strict";
import { during, watchWork } from "../ledger/work.ts";
import { parseLevels } from "./levels.ts";
import { closeLogs, inContext, type Line, openLogs } from "./logs.ts";

const SECRET = "s3cr3t-of-the-bucket";

/** Lines that are said with these levels; secrets are taken out. */
async function said(
  levels: string,
  format: "pretty" | "json",
  run: (log: ReturnType<typeof openLogs>) => void | Promise<void>,
): Promise<{ lines: Line[]; json: string[] }> {
  const lines: Line[] = [];
  const json: string[] = [];
  const log = openLogs({
    levels: parseLevels(levels, "info"),
    format,
    show: (line) => lines.push(line),
    write: (line) => json.push(line),
    redact: (text) => text.replaceAll(SECRET, "(secret)"),
  });
  try {
    await run(log);
  } finally {
    closeLogs();
  }
  return { lines, json };
}

Deno.test("openLogs: a line for people is what was said, in the order it was said in", async () => {
  const { lines } = await said("debug", "pretty", (log) => {
    log("info", "vramhub_miner::miner", "Train step", { window: 3, uid: 1, loss: "2.1", ok: true });
    log("warn", "vramhub_miner", "A {brace} is a brace }");
    log("error", "vramhub_validator", "Window failed", { message: "report" });
  });
  assert.deepEqual(lines, [
    {
      level: "info",
      target: "vramhub_miner::miner",
      message: "Train step",
      fields: { window: 3, uid: 1, loss: "2.1", ok: true },
    },
    { level: "warn", target: "vramhub_miner", message: "A {brace} is a brace }", fields: {} },
    {
      level: "error",
      target: "vramhub_validator",
      message: "Window failed",
      fields: { message: "report" },
    },
  ]);
  assert.deepEqual(Object.keys(lines[0]!.fields), ["window", "uid", "loss", "ok"]);
});

Deno.test("openLogs: each module is heard from its own level on, and its parts with it", async () => {
  const { lines } = await said(
    "warn,vramhub_miner=debug,vramhub_miner::miner=off",
    "pretty",
    (log) => {
      for (const target of ["vramhub_miner", "vramhub_miner::miner", "vramhub_miner::x", "other"]) {
        for (const level of ["debug", "info", "warn", "error"] as const) log(level, target, level);
      }
    },
  );
  const heard = Object.groupBy(lines, ({ target }) => target);
  const levels = (target: string) => heard[target]?.map(({ level }) => level) ?? [];
  assert.deepEqual(levels("vramhub_miner"), ["debug", "info", "warn", "error"]);
  assert.deepEqual(levels("vramhub_miner::x"), ["debug", "info", "warn", "error"]);
  assert.deepEqual(levels("vramhub_miner::miner"), []);
  assert.deepEqual(levels("other"), ["warn", "error"]);
});

Deno.test("openLogs: a line of JSON has time, module, values, and the work that it was written in", async () => {
  const { json } = await said("info", "json", async (log) => {
    watchWork(inContext);
    try {
      await during("window", { window: 7, uid: 2 }, async () => {
        log("info", "vramhub_validator", "Starting validation window", { gradients: 5 });
        await during("judge", { window: 7, uid: 2 }, async () => {
          await Promise.resolve();
          log("warn", "vramhub_drand", "Relay slow", { message: "{x}", uid: 9 });
        });
      });
      log("info", "vramhub_validator", "Outside");
    } finally {
      watchWork(undefined);
    }
  });
  const found = json.map((line) => JSON.parse(line));
  assert.match(found[0]["@timestamp"], /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(
    found.map(({ fields, level, logger, message }) => [level, logger, message, fields]),
    [
      ["INFO", "vramhub_validator", "Starting validation window", {
        window: 7,
        uid: 2,
        gradients: 5,
      }],
      ["WARN", "vramhub_drand", "Relay slow", {
        window: 7,
        uid: 9,
        phase: "judge",
        message: "{x}",
      }],
      ["INFO", "vramhub_validator", "Outside", {}],
    ],
  );
});

Deno.test("openLogs: no form of a line holds a secret", async () => {
  for (const format of ["pretty", "json"] as const) {
    const { json, lines } = await said("debug", format, (log) => {
      log("error", "vramhub_store", `Cannot sign with ${SECRET}`, { reason: `at ${SECRET}:` });
      log("debug", "vramhub_store", "Bucket", { key: SECRET });
    });
    const all = JSON.stringify([json, lines]);
    assert.ok(!all.includes(SECRET), all);
    assert.equal(all.split("(secret)").length, 4, all);
  }
});

Deno.test("parseLevels: reads RUST_LOG's form, and says what is wrong with another", () => {
  assert.deepEqual({ ...parseLevels("", "info") }, parseLevels("info", "warn"));
  const { base, modules } = parseLevels(
    "warning, vramhub_miner=TRACE,vramhub_miner::x=off",
    "info",
  );
  assert.deepEqual([base, { ...modules }], [
    "warn",
    { vramhub_miner: "debug", "vramhub_miner::x": "off" },
  ]);
  for (const wrong of ["loud", "a=b", "a=info=debug", "[span]=info", "=info", "x".repeat(1_001)]) {
    assert.throws(() => parseLevels(wrong, "info"), RangeError, wrong);
  }
  assert.throws(() => parseLevels("vramhub_miner=loud", "info"), /"vramhub_miner=loud" is none/);
  // A variable that is for other programs, too.
  const lenient = parseLevels("hyper[x]=off,/regex/,sui=info,debug", "info", true);
  assert.deepEqual([lenient.base, { ...lenient.modules }], ["debug", { sui: "info" }]);
});
