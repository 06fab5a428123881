import assert from "node:assert/strict";
import { sha256 } from "../enclave/protocol/hash.ts";
import { MinerJournal, type PendingGradient } from "./journal.ts";

async function inFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(`${dir}/journal`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function gradient(window: number): PendingGradient {
  const bytes = Uint8Array.of(1, 2, window);
  const salt = new Uint8Array(32).fill(window);
  return { window, uid: 3, codec: 2, bytes, contentHash: sha256(bytes), salt };
}

Deno.test("MinerJournal: a saved gradient is there after a restart, the one before it is not", async () => {
  await inFolder(async (dir) => {
    {
      using journal = await MinerJournal.open(dir);
      await journal.save(gradient(1));
      await journal.save(gradient(2));
    }
    using journal = await MinerJournal.open(dir);
    assert.deepEqual(await journal.load(2), gradient(2));
    assert.equal(await journal.load(1), null);
    assert.equal(await journal.load(3), null);
    const bins = [...Deno.readDirSync(dir)].filter(({ name }) => name.endsWith(".bin"));
    assert.equal(bins.length, 1);
  });
});

Deno.test("MinerJournal: bytes that are not what was saved are not taken for it", async () => {
  await inFolder(async (dir) => {
    using journal = await MinerJournal.open(dir);
    await journal.save(gradient(1));
    const [bin] = [...Deno.readDirSync(dir)].filter(({ name }) => name.endsWith(".bin"));
    await Deno.writeFile(`${dir}/${bin!.name}`, Uint8Array.of(1, 2));
    assert.equal(await journal.load(1), null);
  });
});

Deno.test("MinerJournal: a window is unfinished from its first step until it is revealed or missed", async () => {
  await inFolder(async (dir) => {
    using journal = await MinerJournal.open(dir);
    await journal.append({ step: "training", window: 1 });
    await journal.append({ step: "training", window: 2 });
    assert.deepEqual(journal.unfinished(), [1, 2]);
    await journal.append({ step: "missed", window: 1, reason: "late" });
    await journal.append({ step: "committed", window: 2 });
    assert.deepEqual(journal.unfinished(), [2]);
    await journal.append({ step: "revealed", window: 2 });
    assert.deepEqual(journal.unfinished(), []);
    assert(journal.isOver(1) && journal.isOver(2) && !journal.isOver(3));
  });
});

Deno.test("MinerJournal: a second miner in the same folder is refused, and told what to do", async () => {
  await inFolder(async (dir) => {
    using _first = await MinerJournal.open(dir);
    await assert.rejects(
      MinerJournal.open(dir),
      /Cannot mine from .*: another miner works there\. /,
    );
  });
});

Deno.test("MinerJournal: a line that is no step is refused", async () => {
  const lines = [
    '{"step":"slept","window":1}',
    '{"step":"training"}',
    '{"step":"missed","window":1}',
    '{"step":"produced","window":1,"uid":0,"codec":2,"contentHash":"00","salt":"00"}',
  ];
  for (const line of lines) {
    await inFolder(async (dir) => {
      await Deno.mkdir(dir);
      await Deno.writeTextFile(`${dir}/steps.jsonl`, line + "\n");
      await assert.rejects(MinerJournal.open(dir), SyntaxError, line);
    });
  }
});
