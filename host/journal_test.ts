import assert from "node:assert/strict";
import { Journal, type JournalEntry, KEPT_WINDOWS } from "./journal.ts";

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(`${dir}/journal`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const ENTRIES: readonly JournalEntry[] = [
  { step: "started", window: 1 },
  { step: "begun", window: 1 },
  { step: "report_asked", window: 1, key: "aa", unavailable: [2] },
  { step: "report_signed", window: 1, key: "aa", message: "01", signature: "02" },
  { step: "report_submitted", window: 1 },
  { step: "settling", window: 1 },
  { step: "outcome_asked", window: 1, key: "aa", unavailable: [] },
  { step: "outcome_signed", window: 1, key: "aa", message: "03", signature: "04" },
  { step: "outcome_submitted", window: 1 },
  { step: "missed", window: 2, message: "report", reason: "too late" },
  { step: "done", window: 2, status: "skipped" },
];

Deno.test("Journal: every step is found again after a restart", async () => {
  await inFolder(async (path) => {
    {
      using journal = await Journal.open(path);
      for (const entry of ENTRIES) await journal.append(entry);
    }
    using journal = await Journal.open(path);
    for (const entry of ENTRIES) {
      assert.deepEqual(journal.find(entry.window, entry.step), entry);
      assert.deepEqual(journal.every(entry.step), [entry]);
    }
    assert.equal(journal.find(2, "begun"), undefined);
  });
});

Deno.test("Journal: a step with a field missing, wrong or too many is refused", async () => {
  const bad: readonly unknown[] = [
    null,
    [],
    { step: "begun" },
    { step: "begun", window: 1.5 },
    { step: "begun", window: 1, more: 1 },
    { step: "toString", window: 1 },
    { step: "missed", window: 1, reason: "no" },
    { step: "missed", window: 1, message: "other", reason: "no" },
    { step: "report_asked", window: 1, key: "aa", unavailable: [-1] },
    { step: "report_signed", window: 1, key: "aa", message: "01" },
    { step: "report_signed", window: 1, key: 1, message: "01", signature: "02" },
  ];
  for (const entry of bad) {
    await inFolder(async (path) => {
      await Deno.writeTextFile(path, JSON.stringify(entry) + "\n");
      await assert.rejects(Journal.open(path), SyntaxError, JSON.stringify(entry));
    });
  }
});

Deno.test("Journal: keeps the steps of the last windows, in memory and on the disk", async () => {
  await inFolder(async (path) => {
    const windows = 5 * KEPT_WINDOWS;
    {
      using journal = await Journal.open(path);
      for (let window = 0; window < windows; window++) {
        await journal.append({ step: "begun", window });
        await journal.append({ step: "done", window, status: "closed" });
      }
      assert(journal.every("done").length < 2 * KEPT_WINDOWS);
    }
    using journal = await Journal.open(path);
    const kept = journal.every("done").map(({ window }) => window);
    assert.equal(kept.at(-1), windows - 1);
    assert(kept.length >= KEPT_WINDOWS && kept.length < 2 * KEPT_WINDOWS);
  });
});
