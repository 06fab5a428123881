import assert from "node:assert/strict";
import { utf8 } from "../enclave/protocol/bytes.ts";
import { ResidualFile } from "./residual.ts";

const VALUES = Float32Array.of(1, -2, 0.25, 1e-9);

/** Save `VALUES` after window 7, bend the file, and load it for window 8. */
async function reloaded(
  bend: (path: string) => Promise<void>,
  { header = "model", total = 4, window = 8 } = {},
): Promise<{ readonly loaded: Float32Array | undefined; readonly lines: readonly string[] }> {
  const dir = await Deno.makeTempDir();
  const lines: string[] = [];
  const log = (_level: string, _target: string, message: string, fields = {}) =>
    lines.push(`${message} ${JSON.stringify(fields)}`);
  const path = `${dir}/residual`;
  try {
    await new ResidualFile(path, utf8("model"), 4, log).save(7, VALUES);
    await bend(path);
    const loaded = await new ResidualFile(path, utf8(header), total, log).load(window);
    return { loaded, lines };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const same = () => Promise.resolve();

Deno.test("ResidualFile: gives back what was saved, in silence", async () => {
  const { loaded, lines } = await reloaded(same);
  assert.deepEqual(loaded, VALUES);
  assert.deepEqual(lines, []);
});

Deno.test("ResidualFile: nothing was saved, nothing is said", async () => {
  const { loaded, lines } = await reloaded((path) => Deno.remove(path));
  assert.equal(loaded, undefined);
  assert.deepEqual(lines, []);
});

Deno.test("ResidualFile: what does not fit is dropped with one line that says why", async () => {
  const flip = (at: number) => async (path: string) => {
    const bytes = await Deno.readFile(path);
    bytes[at]! ^= 1;
    await Deno.writeFile(path, bytes);
  };
  const cases: [string, Promise<Awaited<ReturnType<typeof reloaded>>>][] = [
    ["96 bytes and not 100", reloaded(same, { total: 5 })],
    ["another model's", reloaded(same, { header: "other" })],
    ["is of window 7, and this is window 40", reloaded(same, { window: 40 })],
    ["is of window 7, and this is window 6", reloaded(same, { window: 6 })],
    ["it is no residual", reloaded(flip(0))],
    ["it is damaged", reloaded(flip(90))],
    ["it is damaged", reloaded(flip(72))],
    ["95 bytes", reloaded((path) => Deno.truncate(path, 95))],
  ];
  for (const [why, result] of cases) {
    const { loaded, lines } = await result;
    assert.equal(loaded, undefined, why);
    assert.equal(lines.length, 1, why);
    assert.ok(lines[0]!.startsWith("Residual dropped") && lines[0]!.includes(why), lines[0]);
  }
});

Deno.test("ResidualFile: a disk that takes nothing costs the residual, not the window", async () => {
  const lines: string[] = [];
  const log = (_level: string, _target: string, message: string) => lines.push(message);
  await new ResidualFile("/dev/null/residual", utf8("model"), 4, log).save(7, VALUES);
  assert.deepEqual(lines, ["Residual not kept"]);
});
