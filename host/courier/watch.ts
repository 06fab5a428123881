/**
 * Notices that a judge that dwells elsewhere has restarted: it then answers under a key that nobody has attested. A
 * judge that is started here says so by itself when it ends; this one has to be asked. A key that is registered
 * before a window's reveals are over still signs that window's report.
 *
 * @module
 */
import { type Bytes, equal } from "../../enclave/protocol/bytes.ts";
import type { Clock } from "../ledger/clock.ts";
import type { JudgeHealth } from "./judge_client.ts";

/** How a judge is watched. */
export interface WatchOptions {
  /** Time. */
  readonly clock: Clock;
  /** Milliseconds between two questions. */
  readonly everyMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** The key that was attested last; undefined where none was. */
  readonly attested: () => Bytes | undefined;
  /** Attests the present one. It is called again after the next question, where it did not succeed. */
  readonly mend: () => Promise<void>;
}

/** Watch `judge` until the signal aborts. Never throws: a judge that does not answer may come back. */
export async function watchJudge(
  judge: { health(): Promise<Pick<JudgeHealth, "publicKey">> },
  options: WatchOptions,
): Promise<void> {
  const { attested, clock, everyMs, mend, signal } = options;
  for (;;) {
    await clock.until(clock.now() + everyMs, signal).catch(() => {});
    if (signal.aborted) return;
    const health = await judge.health().catch(() => undefined);
    if (health === undefined) continue;
    const known = attested();
    if (known === undefined || !equal(known, health.publicKey)) await mend().catch(() => {});
  }
}
