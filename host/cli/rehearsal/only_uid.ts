/**
 * `deno task validator --test-mode --only-uid N`: what a judge says of the newest gradient that a miner revealed, fetched
 * from where it lies and by the ways that validators have. Nothing is registered or sent.
 *
 * @module
 */
import type { Ledger, RevealRow, WindowView } from "../../ledger/ledger.ts";
import { reason } from "../../ledger/log.ts";
import { windowOrNull } from "../../store/bases.ts";
import type { NetworkArgs } from "../args_network.ts";
import type { OpenLedger } from "../open_ledger.ts";
import { openEnvelope, openReader } from "../open_reader.ts";
import { type NetworkHost, onLedger, openParts } from "../network/parts.ts";
import { Missing } from "../replay/data_dir.ts";
import type { Checked } from "../report/verify.ts";
import { rehearse } from "./checks.ts";
import { showChecks } from "./show.ts";

const TARGET = "vramhub_validator::only_uid";
/** Windows back in which a reveal is looked for: older bases are replayed for no one. */
const LOOK_BACK = 3;

/**
 * Run it for slot `uid`.
 *
 * @throws {NotAccepted} where a check does not hold.
 * @throws {Missing} where the miner has revealed nothing of late.
 */
export async function runOnlyUid(
  uid: number,
  args: NetworkArgs,
  host: NetworkHost,
): Promise<void> {
  await onLedger(host, (opened) => showChecks(checksOf(uid, opened, host), args.json));
}

async function* checksOf(
  uid: number,
  opened: OpenLedger,
  host: NetworkHost,
): AsyncGenerator<Checked> {
  const { config, log, signal } = host;
  const { ledger } = opened;
  using cleanup = new DisposableStack();
  const parts = await openParts(opened, host, "judge a miner", cleanup);
  const { bases, beacon, model, own, pages, store } = parts;
  const { reveal, view } = await newestReveal(ledger, uid);
  const { window } = view;
  log("info", TARGET, "One miner's gradient", { window, uid, ref: reveal.ref, sends: "nothing" });
  const reader = cleanup.use(
    await openReader(config, {
      ledger,
      owner: await opened.caller(),
      envelope: await openEnvelope(config, opened),
      store,
      own: own.write,
      uploads: own.read ?? own.write,
    }),
  );
  const found = await reader.read(reveal, window).catch((error) => ({ why: reason(error) }));
  if ("why" in found) {
    yield { name: "fetch", ok: false, detail: `${reveal.ref}: ${found.why}` };
    return;
  }
  yield { name: "fetch", ok: true, detail: `${found.length} bytes of the revealed hash` };
  const base = await bases.reach(view.baseHash, window);
  yield* rehearse({
    ...{ view, reveal, base, pages, beacon, model, signal },
    bytes: found,
    now: ledger.now(),
  });
}

async function newestReveal(
  ledger: Ledger,
  uid: number,
): Promise<{ readonly view: WindowView; readonly reveal: RevealRow }> {
  const current = await ledger.currentWindow();
  const first = Math.max(0, current - LOOK_BACK);
  for (let window = current; window >= first; window--) {
    const view = await windowOrNull(ledger, window);
    const reveal = view?.reveals.find((row) => row.uid === uid);
    if (view !== null && reveal !== undefined) return { view, reveal };
  }
  throw new Missing(
    `Cannot judge miner ${uid}: it revealed nothing in windows ${first} to ${current}`,
  );
}
