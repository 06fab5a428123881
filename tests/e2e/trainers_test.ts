/**
 * Trainers and wire formats in a whole network: each earns, and each can be tried before and looked at afterwards.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ended, only, type Ran, startCommand } from "../support/command.ts";
import { findPython } from "../support/python.ts";
import { startSidecar } from "../support/sidecar.ts";

// Windows longer than the machine needs: other tests run beside these.
const TINY = "--test-mode --model tiny --json --miners honest --window-seconds 8".split(" ");

const python = await findPython();

/** A network of one onnx miner in a folder, for `windows`, while `run` works beside it. */
async function inNetwork(
  windows: number,
  run: (dir: string, join: (...words: string[]) => Promise<Ran>) => Promise<void>,
): Promise<Ran> {
  const dir = await Deno.makeTempDir();
  const children = [
    startCommand("validator", [...TINY, "--windows", String(windows), "--data-dir", dir]),
  ];
  const running = ended(children[0]!);
  const join = async (...words: string[]) => {
    const miner = startCommand("miner", ["--test-mode", "--json", "--data-dir", dir, ...words]);
    children.push(miner);
    return await ended(miner);
  };
  try {
    while (await Deno.stat(`${dir}/validator-0.journal`).catch(() => null) === null) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await run(dir, join);
    const ran = await running;
    assert.equal(ran.code, 0, ran.stderr);
    return ran;
  } finally {
    for (const child of children) {
      try {
        child.kill("SIGTERM");
      } catch {
        // it has ended
      }
    }
    await running;
    await Deno.remove(dir, { recursive: true });
  }
}

/** Every miner of `count` was accepted twice at least, never refused, and paid. */
function checkPaid({ events }: Ran, count: number): void {
  const rows = only(events, "settled").flatMap(({ rows }) => rows);
  const [done] = only(events, "done");
  assert.equal(done!.paid.length, count);
  for (const { uid, total } of done!.paid) {
    const verdicts = rows.filter((row) => row.uid === uid).map(({ verdict }) => verdict)
      .filter((verdict) => verdict !== "no_reveal");
    assert.ok(verdicts.length >= 2, `uid ${uid}: ${verdicts}`);
    assert.ok(verdicts.every((verdict) => verdict === "accepted"), `uid ${uid}: ${verdicts}`);
    assert.ok(BigInt(total) > 0n, `uid ${uid} was paid ${total}`);
  }
}

const messages = ({ events }: Ran) => only(events, "log").map(({ message }) => message);

/** The fields of the first log line that says `message`. */
function fieldsOf({ events }: Ran, message: string): Record<string, unknown> {
  return only(events, "log").find((line) => line.message === message)!.fields;
}

Deno.test("miner --codec templar: earns beside onnx; --dry-run and --only-uid show every verdict and send nothing", async () => {
  const ran = await inNetwork(6, async (dir, join) => {
    const tried = await join("--dry-run", "--trainer", "candle", "--codec", "templar");
    assert.equal(tried.code, 0, tried.stderr);
    const checks = (ran: Ran) => {
      const found = ran.events.filter((event) => (event.event as string) === "check") as unknown[];
      return (found as { readonly name: string; readonly ok: boolean; readonly detail: string }[]);
    };
    assert.deepEqual(
      checks(tried).map(({ name, ok }) => `${name} ${ok}`),
      ["liveness", "size", "header", "screening", "judge", "own pages", "score", "own data"]
        .map((name) => `${name} true`),
    );
    assert.match(checks(tried)[6]!.detail, /settles as accepted/);
    assert.ok(!messages(tried).some((message) => /^(Registering|Gradient uploaded)/.test(message)));

    const mined = await join("--codec", "templar", "--trainer", "onnx", "--windows", "3");
    assert.equal(mined.code, 0, mined.stderr);
    const { trainer, reason } = fieldsOf(mined, "Trainer chosen");
    assert.equal(trainer, "onnx");
    assert.match(String(reason), /^--trainer names onnx: Trains on /);

    const words = ["--test-mode", "--json", "--data-dir", dir, "--only-uid"];
    const judged = await ended(startCommand("validator", [...words, "1"]));
    assert.equal(judged.code, 0, judged.stderr);
    assert.deepEqual(checks(judged)[0]!.name, "fetch");
    assert.ok(checks(judged).length === 9 && checks(judged).every(({ ok }) => ok));
    const nobody = await ended(startCommand("validator", [...words, "9"]));
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /^error: Cannot judge miner 9: it revealed nothing in windows \d/);
  });
  checkPaid(ran, 2);
});

Deno.test({
  name:
    "test mode: onnx, a real Python sidecar and --codec templar, all accepted and paid (needs PyTorch)",
  ignore: python === undefined,
  async fn() {
    await using sidecar = await startSidecar(python!, ["--model", "vramhub:tiny"]);
    const ran = await inNetwork(7, async (_dir, join) => {
      const [theirs, templar] = await Promise.all([
        join("--trainer", sidecar.url, "--windows", "4"),
        join("--trainer", "onnx", "--codec", "templar", "--windows", "4"),
      ]);
      for (const { code, stderr } of [theirs, templar]) assert.equal(code, 0, stderr);
      assert.equal(fieldsOf(theirs, "Miner starting").adapter, "sidecar");
    });
    checkPaid(ran, 3);
  },
});
