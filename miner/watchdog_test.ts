import assert from "node:assert/strict";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { DEFAULT_HPARAMS } from "../enclave/protocol/hparams.ts";
import { Watchdog } from "./watchdog.ts";

const VIEW = { window: 3, hparams: { ...DEFAULT_HPARAMS, window_ms: 100 } };

function watchdog(now = 0): { readonly dog: Watchdog; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const dog = new Watchdog(
    (_l, _t, message, fields) => lines.push({ message, ...fields }),
    () => now,
    1,
  );
  return { dog, lines };
}

Deno.test("Watchdog: says what is waited for, since when and until when, as long as it lasts", async () => {
  const { dog, lines } = watchdog(4_000);
  const { promise, resolve } = Promise.withResolvers<number>();
  const waiting = dog.during(VIEW, { what: "training", due: 9_000 }, () => promise);
  while (lines.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  resolve(7);
  assert.equal(await waiting, 7);
  const told = lines.length;
  const { since_s, ...line } = lines[0]!;
  assert.equal(typeof since_s, "number");
  assert.deepEqual(line, { message: "Still waiting", window: 3, for: "training", due_in_s: 5 });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(lines.length, told, "it says nothing of what is over");
  assert.equal(dog.what, "training");
});

Deno.test("Watchdog: what is overdue is said to be, and what nobody dates is not", async () => {
  const { dog, lines } = watchdog(9_000);
  const late = new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all([
    dog.during(VIEW, { what: "a", due: 2_000 }, () => late),
    dog.during(null, { what: "b" }, () => late),
  ]);
  const of = (what: string) => lines.find((line) => line.for === what)!;
  assert.equal(of("a").overdue_s, 7);
  assert.deepEqual(Object.keys(of("b")), ["message", "for", "since_s"]);
});

Deno.test("Watchdog: gives up at the deadline where it is told to, and leaves nothing behind", async () => {
  const { dog } = watchdog(1_000);
  const never = new Promise<void>(() => {});
  await assert.rejects(
    dog.during(VIEW, { what: "training", due: 1_020, gives: "up" }, () => never),
    (error) =>
      error instanceof Refusal && error.code === "too_late" && /training/.test(error.message),
  );
});
