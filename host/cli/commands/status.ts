/**
 * `status`: the network at a glance, or one slot of it.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { SETTLED } from "../../../enclave/protocol/verdict.ts";
import type { Ledger, WindowView } from "../../ledger/ledger.ts";
import { emissionAt, MINING_ALLOCATION } from "../../ledger/pay.ts";
import type { OpenLedger } from "../open_ledger.ts";
import { duration, printable, short } from "../present/format.ts";
import { coins, factLines, moment } from "../present/record.ts";
import type { Paint } from "../present/style.ts";
import { type Column, table } from "../present/table.ts";
import { defineCommand, type Entry, type Result } from "./command.ts";
import { minerStatus, validatorStatus } from "./slot_status.ts";
import { judgingOf, lastWindows, phaseOf } from "./window_state.ts";

/** Windows before the running one that are shown. */
const SHOWN_WINDOWS = 4;

const uid = integer({ metavar: "UID", min: 0, max: 65_535 });

/** The command. */
export const status: Entry = defineCommand(
  "status",
  message`Show the network: reward pool, emission, least stakes, phase, the last windows; or one slot.`,
  ["miner 3 of the network in a folder", "status --data-dir ./network --uid 3"],
  object({
    uid: optional(option("--uid", uid, { description: message`One miner.` })),
    validatorUid: optional(
      option("--validator-uid", uid, { description: message`One validator.` }),
    ),
  }),
  async (context, { uid, validatorUid }) => {
    using opened = await context.open();
    if (uid !== undefined) return await minerStatus(opened.ledger, uid);
    if (validatorUid !== undefined) return await validatorStatus(opened.ledger, validatorUid);
    return shown(opened, await gather(opened.ledger));
  },
);

/** All reads at once: none waits for another. */
async function gather(ledger: Ledger) {
  const [info, windows, miners, validators, issued, owed, measurements] = await Promise.all([
    ledger.info(),
    lastWindows(ledger, SHOWN_WINDOWS),
    ledger.miners(),
    ledger.validators(),
    ledger.issued(),
    ledger.owed(),
    ledger.measurements(),
  ]);
  return { info, windows, miners, validators, issued, owed, measurements, now: ledger.now() };
}

function shown(
  { network, profile }: OpenLedger,
  { info, issued, measurements, miners, now, owed, validators, windows }: Awaited<
    ReturnType<typeof gather>
  >,
): Result {
  const [current, ...past] = windows;
  const hparams = current?.hparams;
  const phase = current === undefined ? undefined : phaseOf(current, now);
  const pool = MINING_ALLOCATION - issued;
  const emission = hparams && emissionAt(issued, hparams.emission);
  const approved = measurements.filter(({ activeFrom }) => activeFrom <= now);
  return {
    json: {
      network,
      simulated: info.simulatedRoot !== null,
      chainId: info.chainId,
      ledgerId: info.ledgerId,
      model: info.model,
      modelHash: info.modelHash,
      pool,
      issued,
      owed: owed.total,
      emission,
      minMinerStake: hparams?.min_miner_stake,
      minValidatorStake: hparams?.min_validator_stake,
      miners: miners.length,
      validators: validators.length,
      measurements: approved.map(({ name }) => name),
      window: current?.window,
      phase: phase?.name,
      phaseEndsMs: phase?.until,
      windows: past.map((view) => ({
        window: view.window,
        status: view.status,
        reveals: view.reveals.length,
        reported: view.reported.length,
        validators: view.snapshot.length,
        issued: view.payout?.issued ?? null,
        baseHash: view.baseHash,
        mergedHash: view.payout?.mergedHash ?? null,
        skipReason: view.skipReason,
      })),
    },
    text(paint, width) {
      const facts = factLines([
        ["network", profile === null ? "dev ledger: nobody is authenticated" : network],
        ["ledger", `0x${toHex(info.ledgerId)}`],
        [
          "judges",
          info.simulatedRoot === null ? "AWS Nitro" : "SIMULATED root, nothing is worth anything",
        ],
        ["model", `${printable(info.model)}, ${short(toHex(info.modelHash))}`],
        ["pool", `${coins(pool, "VRAM")} to be mined, ${coins(owed.total, "VRAM")} to be claimed`],
        ["emission", emission === undefined ? undefined : `${coins(emission, "VRAM")} a window`],
        [
          "min stake",
          hparams &&
          `${coins(BigInt(hparams.min_miner_stake), "SUI")} as miner, ` +
            `${coins(BigInt(hparams.min_validator_stake), "SUI")} as validator`,
        ],
        ["slots", `${plural(miners.length, "miner")}, ${plural(validators.length, "validator")}`],
        ["builds", approved.map(({ name }) => printable(name)).join(", ") || "none is approved"],
        [
          "window",
          current && phase &&
          `${current.window}, ${phase.name}, ${duration(phase.until - now)} left ` +
            `(until ${moment(phase.until)})`,
        ],
      ], paint);
      return [...facts, "", ...windowTable(windows, now, width, paint)];
    },
  };
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function windowTable(
  windows: readonly WindowView[],
  now: number,
  width: number,
  paint: Paint,
): string[] {
  const [current] = windows;
  const columns: Column<WindowView>[] = [
    { name: "window", rank: 0, align: "right", text: ({ window }) => String(window) },
    {
      name: "state",
      rank: 0,
      align: "left",
      text: (view) => view === current ? "running" : printable(judgingOf(view, now)),
    },
    { name: "reveals", rank: 0, align: "right", text: ({ reveals }) => String(reveals.length) },
    {
      name: "accepted",
      rank: 3,
      align: "right",
      text: ({ settled }) =>
        settled === null
          ? "–"
          : String(settled.rows.filter(({ verdict }) => verdict === SETTLED.accepted).length),
    },
    {
      name: "issued",
      unit: "VRAM",
      rank: 1,
      align: "right",
      text: ({ payout }) => payout === null ? "–" : coins(payout.issued, "VRAM").replace(/ .*/, ""),
    },
    { name: "base", rank: 4, align: "left", text: ({ baseHash }) => short(toHex(baseHash)) },
    {
      name: "merge",
      rank: 5,
      align: "left",
      text: ({ payout }) =>
        payout === null
          ? "–"
          : payout.mergedHash === null
          ? "none"
          : short(toHex(payout.mergedHash)),
    },
  ];
  return table(columns, windows, width, paint);
}
