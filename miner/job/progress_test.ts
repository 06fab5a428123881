import assert from "node:assert/strict";
import { JobProgress } from "./progress.ts";

const base = (value: number) => new Uint8Array(32).fill(value);

async function inFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(`${dir}/job-7`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("JobProgress: gives back what was saved last, to the job of the same base", () =>
  inFolder(async (dir) => {
    const progress = new JobProgress(dir, base(1));
    assert.equal(await progress.load(), null);
    for (const pages of [64, 128]) {
      await progress.save({ pages, theta: Float32Array.of(pages, -0, 1e-40) });
    }
    const loaded = (await new JobProgress(dir, base(1)).load())!;
    assert.deepEqual(loaded, { pages: 128, theta: Float32Array.of(128, -0, 1e-40) });
    assert.equal(await new JobProgress(dir, base(2)).load(), null);
    assert.equal([...Deno.readDirSync(dir)].length, 2, "the weights before are removed");
    await progress.clear();
    await progress.clear();
    assert.equal(await progress.load(), null);
  }));

Deno.test("JobProgress: a crash between weights and note leaves the state before", () =>
  inFolder(async (dir) => {
    const progress = new JobProgress(dir, base(1));
    await progress.save({ pages: 64, theta: Float32Array.of(1) });
    const note = await Deno.readFile(`${dir}/progress.json`);
    await Deno.writeFile(`${dir}/${"0".repeat(64)}.weights`, new Uint8Array(4));
    await Deno.writeFile(`${dir}/progress.json.draft`, note.slice(0, 9));
    assert.equal((await progress.load())!.pages, 64);
    await progress.save({ pages: 128, theta: Float32Array.of(2) });
    assert.equal((await progress.load())!.theta[0], 2);
  }));

Deno.test("JobProgress: bytes that are not what they were are begun again", () =>
  inFolder(async (dir) => {
    const progress = new JobProgress(dir, base(1));
    await progress.save({ pages: 64, theta: Float32Array.of(1) });
    const [weights] = [...Deno.readDirSync(dir)].filter(({ name }) => name.endsWith(".weights"));
    await Deno.writeFile(`${dir}/${weights!.name}`, new Uint8Array(4));
    assert.equal(await progress.load(), null);
    await Deno.writeTextFile(`${dir}/progress.json`, "{");
    assert.equal(await progress.load(), null);
  }));
