import assert from "node:assert/strict";
import { encodeV2 } from "../../../enclave/protocol/gradient/mod.ts";
import { DEFAULT_HPARAMS } from "../../../enclave/protocol/hparams.ts";
import { sha256 } from "../../../enclave/protocol/hash.ts";
import type { Checked } from "../report/verify.ts";
import { type Rehearsal, rehearse } from "./checks.ts";
import { NotAccepted, showChecks } from "./show.ts";

const baseHash = new Uint8Array(32).fill(3);
const META = { uid: 4, window: 9n, baseHash };
const UPDATE = { total: 10, indices: Uint32Array.of(2), values: Float32Array.of(0.5) };
const GOOD = encodeV2(UPDATE, META);

/** What is found of `bytes` before a judge is needed; `size` is what was revealed. */
async function filtered(bytes: Uint8Array<ArrayBuffer>, size = bytes.length): Promise<Checked[]> {
  const rehearsal = {
    view: { window: 9, baseHash, hparams: DEFAULT_HPARAMS },
    reveal: { uid: 4, commitSeq: 0, contentHash: sha256(bytes), size, codec: 2 },
    bytes,
    base: { theta: new Float32Array(10) },
  } as unknown as Rehearsal;
  const found: Checked[] = [];
  for await (const check of rehearse(rehearsal)) {
    found.push(check);
    if (check.name === "screening") break;
  }
  return found;
}

Deno.test("rehearse: ends at the first filter that finds something, and says what", async () => {
  const last = async (bytes: Uint8Array<ArrayBuffer>, size?: number) => {
    const found = await filtered(bytes, size);
    assert.ok(found.slice(0, -1).every(({ ok }) => ok));
    const { detail, name, ok } = found.at(-1)!;
    return `${name} ${ok}: ${detail}`;
  };
  assert.match(await last(new Uint8Array(0)), /^liveness false: the object is empty/);
  assert.match(await last(GOOD, 7), /^size false: \d+ bytes, revealed as 7/);
  assert.match(await last(GOOD.slice(0, -1)), /^header false: wrong_size/);
  const other = encodeV2(UPDATE, { ...META, baseHash: new Uint8Array(32) });
  assert.match(await last(other), /^header false: wrong_model/);
});

Deno.test("rehearse: screens as the judge does, and says the figures", async () => {
  const screening = async (value: number) => {
    const update = { ...UPDATE, values: Float32Array.of(value) };
    return (await filtered(encodeV2(update, META))).at(-1)!;
  };
  const { max_update_norm } = DEFAULT_HPARAMS;
  const most = max_update_norm / 1e6;
  const good = { name: "screening", ok: true, detail: "1 of 10 entries, norm 0.5000" };
  assert.deepEqual(await screening(0.5), good);
  assert.match((await screening(2 * most)).detail, /scaled down by 0\.500 to the ledger's limit/);
  assert.match((await screening(0)).detail, /^zero: /);
  const huge = await screening(2_000 * most);
  assert.ok(!huge.ok && /^norm: /.test(huge.detail), huge.detail);
});

Deno.test("showChecks: a line each, an error that names what does not hold", async () => {
  const lines: string[] = [];
  async function* checks(ok: boolean) {
    yield { name: "size", ok: true, detail: "as revealed" };
    yield await Promise.resolve({ name: "score", ok, detail: "it harms" });
  }
  const write = (line: string) => lines.push(line);
  await showChecks(checks(true), false, write);
  assert.deepEqual(lines.slice(0, 2), [
    "ok    size         as revealed",
    "ok    score        it harms",
  ]);
  await assert.rejects(
    showChecks(checks(false), true, write),
    (error) => error instanceof NotAccepted && error.message === "Not accepted: score: it harms",
  );
  assert.deepEqual(JSON.parse(lines.at(-1)!), {
    event: "check",
    name: "score",
    ok: false,
    detail: "it harms",
  });
});
