import assert from "node:assert/strict";
import { LineLog } from "./line_log.ts";

interface Entry {
  readonly n: number;
}

function decode(value: unknown): Entry {
  if (typeof (value as Entry).n !== "number") throw new SyntaxError("no entry");
  return value as Entry;
}

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(`${dir}/log`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("LineLog: what was appended is there after a restart, in order", async () => {
  await inFolder(async (path) => {
    {
      using log = await LineLog.open(path, decode);
      await Promise.all([1, 2, 3].map((n) => log.append({ n })));
    }
    using log = await LineLog.open(path, decode);
    assert.deepEqual(log.entries, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  });
});

Deno.test("LineLog: a line that was cut off anywhere is dropped, and written over", async () => {
  const line = '{"n":2}\n';
  for (let cut = 0; cut < line.length; cut++) {
    await inFolder(async (path) => {
      await Deno.writeTextFile(path, '{"n":1}\n' + line.slice(0, cut));
      using log = await LineLog.open(path, decode);
      assert.deepEqual(log.entries, [{ n: 1 }], `cut at ${cut}`);
      await log.append({ n: 3 });
      assert.equal(await Deno.readTextFile(path), '{"n":1}\n{"n":3}\n');
    });
  }
});

Deno.test("LineLog: a whole line that is no entry is refused, and named", async () => {
  for (const bad of ["nonsense", '{"m":1}', "null", ""]) {
    await inFolder(async (path) => {
      await Deno.writeTextFile(path, `{"n":1}\n${bad}\n{"n":3}\n`);
      await assert.rejects(LineLog.open(path, decode), (error: Error) => {
        assert(error instanceof SyntaxError);
        assert.match(error.message, /^Cannot read .*log:2: /);
        return true;
      });
    });
  }
});

Deno.test("LineLog: a second holder is refused until the first one closes", async () => {
  await inFolder(async (path) => {
    {
      using _log = await LineLog.open(path, decode);
      await assert.rejects(LineLog.open(path, decode), Deno.errors.Busy);
    }
    using _again = await LineLog.open(path, decode);
  });
});

Deno.test("LineLog: compact drops entries, and appends go on behind the others", async () => {
  await inFolder(async (path) => {
    {
      using log = await LineLog.open(path, decode);
      for (const n of [1, 2, 3, 4]) await log.append({ n });
      await log.compact(({ n }) => n > 2);
      await log.append({ n: 5 });
      assert.deepEqual(log.entries, [{ n: 3 }, { n: 4 }, { n: 5 }]);
    }
    using log = await LineLog.open(path, decode);
    assert.deepEqual(log.entries, [{ n: 3 }, { n: 4 }, { n: 5 }]);
  });
});

Deno.test("LineLog: a draft that a crash left does not matter", async () => {
  await inFolder(async (path) => {
    await Deno.writeTextFile(path, '{"n":1}\n');
    await Deno.writeTextFile(`${path}.draft`, '{"n":');
    using log = await LineLog.open(path, decode);
    assert.deepEqual(log.entries, [{ n: 1 }]);
    await log.compact(() => true);
    assert.equal(await Deno.readTextFile(path), '{"n":1}\n');
  });
});
