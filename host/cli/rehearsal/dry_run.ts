/**
 * `deno task miner --dry-run`: a gradient of the running window, trained as ever, tried on every check, sent to nobody.
 * No slot is taken for it.
 *
 * @module
 */
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import type { Address, Ledger, WindowView } from "../../ledger/ledger.ts";
import { reason } from "../../ledger/log.ts";
import { pauseFor } from "../../ledger/retry.ts";
import { Pace } from "../../../miner/pace.ts";
import { produceGradient } from "../../../miner/production.ts";
import { Watchdog } from "../../../miner/watchdog.ts";
import type { NetworkMinerArgs } from "../args_network.ts";
import type { OpenLedger } from "../open_ledger.ts";
import { openTraining } from "../open_source.ts";
import { trainingOf } from "../testmode/calibrate.ts";
import { type NetworkHost, onLedger, openParts } from "../network/parts.ts";
import { rehearse } from "./checks.ts";
import { showChecks } from "./show.ts";

const TARGET = "vramhub_miner::dry_run";
/** The slot whose pages are trained on where the miner has none. */
const ANY_SLOT = 0;

/**
 * Run it.
 *
 * @throws {NotAccepted} where a check does not hold.
 */
export async function runDryRun(args: NetworkMinerArgs, host: NetworkHost): Promise<void> {
  await onLedger(host, (opened) => dryRunOn(opened, args, host));
}

async function dryRunOn(
  opened: OpenLedger,
  args: NetworkMinerArgs,
  host: NetworkHost,
): Promise<void> {
  const { config, log, signal } = host;
  const { ledger } = opened;
  using cleanup = new DisposableStack();
  const parts = await openParts(opened, host, "try a gradient", cleanup);
  const { beacon, clock, model, pages } = parts;
  const uid = config.get("MINER_UID") ?? await slotOf(ledger, await callerOf(opened));
  const training = trainingOf(model.name);
  await using trained = await openTraining(args, { ...parts, config, training });
  const view = atLeisure(await ledger.window(await ledger.currentWindow()));
  const { window } = view;
  log("info", TARGET, "Dry run", { window, uid: uid ?? ANY_SLOT, commits: "nothing" });
  if (uid === undefined) {
    log("info", TARGET, "No slot: the pages are those of another miner", { uid: ANY_SLOT });
  }
  const onError = (error: unknown) =>
    log("warn", TARGET, "Trying again", { window, reason: reason(error) });
  const { bytes, codec, contentHash } = await produceGradient(
    view,
    { ...parts, uid: uid ?? ANY_SLOT, source: trained.source(null) },
    {
      patience: {
        clock,
        deadline: clock.now() + view.hparams.window_ms,
        pauseMs: pauseFor(view.hparams.window_ms),
        signal,
        onError,
      },
      watchdog: new Watchdog(log, () => ledger.now()),
      pace: new Pace(() => ledger.now()),
    },
  );
  const reveal = {
    uid: uid ?? ANY_SLOT,
    commitSeq: 0,
    contentHash,
    size: bytes.length,
    codec,
  };
  const base = await parts.bases.reach(view.baseHash, window);
  const rehearsal = { view, reveal, bytes, base, pages, beacon, model, signal, now: ledger.now() };
  await showChecks(rehearse(rehearsal), args.json);
}

/** The caller, or undefined where there is no wallet: none is needed. */
async function callerOf(opened: OpenLedger): Promise<Address | undefined> {
  return await opened.caller().catch(() => undefined);
}

async function slotOf(ledger: Ledger, owner: Address | undefined): Promise<number | undefined> {
  return (await ledger.miners()).find((row) => row.owner === owner)?.uid;
}

/** The window without its deadlines, which nothing here has to meet. */
function atLeisure(view: WindowView): WindowView {
  const { randomness } = view.context;
  if (randomness.kind === "ledger" && randomness.assignSeed.every((byte) => byte === 0)) {
    throw new Refusal("no_seeds", `Nobody has drawn the seeds of window ${view.window} yet`);
  }
  return { ...view, deadlines: { ...view.deadlines, commit: Infinity } };
}
