/**
 * The network at a glance.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import { datasetRoot } from "../../enclave/protocol/dataset.ts";
import type { Ledger, NetworkInfo, WindowView } from "../ledger/ledger.ts";
import { emissionAt } from "../ledger/pay.ts";
import { windowOrNull } from "../store/bases.ts";
import type { ApiParts } from "./api.ts";
import { notices } from "./notices.ts";
import { toWire } from "./wire.ts";

/** What a network is, on every page. */
export type Badge = "SIMULATED" | "DEV" | "NITRO ENCLAVE";

/** The badge of a network: what its judges' documents can prove. */
export function badgeOf({ kind, simulatedRoot }: NetworkInfo): Badge {
  if (simulatedRoot !== null) return "SIMULATED";
  return kind === "dev" ? "DEV" : "NITRO ENCLAVE";
}

/** `/network`. */
export async function network(parts: ApiParts) {
  const { explorerUrl, fault, index, ledger, networkName } = parts;
  const [info, supply, issued, miners, validators] = await Promise.all([
    ledger.info(),
    ledger.supply(),
    ledger.issued(),
    ledger.miners(),
    ledger.validators(),
  ]);
  const running = await ledger.currentWindow();
  const current = await newestOf(ledger, running);
  const previous = await previousOf(ledger, current.window);
  const nowMs = ledger.now();
  return {
    name: networkName,
    kind: info.kind,
    badge: badgeOf(info),
    explorerUrl,
    chainId: toHex(info.chainId),
    ledgerId: toHex(info.ledgerId),
    admin: info.admin,
    model: info.model,
    modelHash: toHex(info.modelHash),
    datasetRoot: toHex(datasetRoot(info.dataset)),
    nowMs,
    current: standing(current),
    previous: previous === null ? null : standing(previous),
    miners: miners.length,
    validators: validators.length,
    windows: index.size.windows,
    isWhole: index.size.isWhole,
    supply: toWire(supply),
    issued: issued.toString(),
    emission: emissionAt(issued, current.hparams.emission).toString(),
    hparams: { ...current.hparams },
    notices: notices({ current, previous, running, nowMs, fault: fault() }),
  };
}

/** The running window, or the newest one where nobody has opened that yet: who only looks opens none. */
async function newestOf(ledger: Ledger, running: number): Promise<WindowView> {
  const view = await windowOrNull(ledger, running);
  if (view !== null) return view;
  const [row] = await ledger.windows(running, 1);
  return await ledger.window(row?.window ?? running);
}

async function previousOf(ledger: Ledger, number: number): Promise<WindowView | null> {
  const [row] = await ledger.windows(number, 1);
  return row?.window === number - 1 ? await ledger.window(number - 1) : null;
}

/** How far a window is. */
function standing(view: WindowView) {
  const { deadlines, outcomes, reported, reveals, snapshot, status, window } = view;
  return {
    window,
    status,
    deadlines: { ...deadlines },
    reveals: reveals.length,
    reports: reported.length,
    outcomes: outcomes.length,
    judges: snapshot.length,
  };
}
