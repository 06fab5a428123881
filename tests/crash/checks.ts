/**
 * What must hold after every crash.
 *
 * @module
 */
import assert from "node:assert/strict";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { SETTLED } from "../../enclave/protocol/verdict.ts";
import type { Life } from "./faults.ts";
import type { World } from "./world.ts";

/** No coin appeared or vanished. */
export function checkCoins(world: World): void {
  const { held, issued, minted, vramHeld } = world.ledger.audit();
  assert.deepEqual([held, vramHeld], [minted, issued], "coins appeared or vanished");
}

/** Nothing was sent twice, and no key signed two different messages for one window. */
export async function checkOnce(world: World, lives: readonly Life[]): Promise<void> {
  const events = await world.ledger.events(0, 1_000);
  const sent = events.filter(({ kind }) => /::(Report|Outcome)Submitted$|::Gradient/.test(kind))
    .map(({ kind, body }) => `${kind} ${body.window} ${body.uid ?? body.validator}`);
  assert.equal(new Set(sent).size, sent.length, "the ledger has something twice");
  const refused = lives.flatMap((life) => life.refused);
  // A commit cannot be seen on the ledger: whoever died behind it asks by sending it again.
  const again = refused.filter((call) => /: EAlready(?!Committed)/.test(call));
  assert.deepEqual(again, [], "something was sent twice");
  const messages = new Map<string, unknown>();
  for (const { key, message, step, window } of await world.steps("validator.journal")) {
    if (message === undefined || key === undefined) continue;
    const name = `${step} ${window} ${key}`;
    assert.equal(messages.get(name) ?? message, message, `${name}: two messages by one key`);
    messages.set(name, message);
  }
}

/** `window` came out as if nobody had died: everybody measured, paid, and the base moved. */
export async function checkWhole(world: World, window: number): Promise<void> {
  const { payout, settled, status } = await world.ledger.window(window);
  assert.equal(status, "closed", `window ${window}`);
  const verdicts = settled?.rows.map(({ uid, verdict }) => [uid, verdict]);
  assert.deepEqual(verdicts, [[0, SETTLED.accepted], [1, SETTLED.accepted]], `window ${window}`);
  assert.notEqual(payout?.mergedHash, null, `window ${window} was not merged`);
  const then = await world.ledger.window(window + 1).catch(() => null);
  const next = await world.ledger.window(window + 2).catch(() => null);
  if (next !== null) assert.equal(toHex(next.baseHash), toHex(payout!.mergedHash!));
  assert.notEqual(then, null);
}

/** What a party's journal calls missed: `window message`. */
export async function missed(world: World, file = "validator.journal"): Promise<string[]> {
  const steps = await world.steps(file);
  return steps.filter(({ step }) => step === "missed").map(({ message, window }) =>
    message === undefined ? `${window}` : `${window} ${message}`
  );
}
