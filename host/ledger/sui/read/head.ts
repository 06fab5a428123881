/**
 * The ledger's head: calendar, windows and validators, read together. On the chain the first call of a window
 * rolls; a reader does not call, so what that call would change is worked out here. A view shows what the
 * contracts would find, whether or not anybody has called yet.
 *
 * @module
 */
import { LedgerError } from "../../../../enclave/protocol/errors.ts";
import {
  type Deadlines,
  deadlines,
  type Epoch,
  windowAt,
} from "../../../../enclave/protocol/window.ts";
import type { Hparams } from "../../../../enclave/protocol/hparams.ts";
import type { ValidatorRow } from "../../ledger.ts";
import { HparamsInner, toEpoch, toHparams } from "../layout/hparams.ts";
import { ValidatorRegistryInner } from "../layout/peers.ts";
import type { Of } from "../layout/layout.ts";
import { RoundStateInner, type Window } from "../layout/rounds.ts";
import type { StateReader } from "../state_reader.ts";

/** Codes of a window's status in Move. */
export const STATUS = { open: 0, settling: 1, settled: 2, closed: 3, skipped: 4 } as const;

/** What the head holds. */
export interface Head {
  /** State of `hparams`. */
  readonly hparams: Of<typeof HparamsInner>;
  /** State of `round_state`. */
  readonly rounds: Of<typeof RoundStateInner>;
  /** State of `validator_registry`. */
  readonly validators: Of<typeof ValidatorRegistryInner>;
  /** Epochs, ascending. */
  readonly epochs: readonly Epoch[];
  /** The ledger's time of this reading. */
  readonly nowMs: number;
  /** The running window; 0 before the founding. */
  readonly running: number;
  /** Whether the running window is open on the chain. */
  readonly rolled: boolean;
}

/** Read the head at the ledger's time `nowMs`. */
export async function readHead(reader: StateReader, nowMs: number): Promise<Head> {
  const [hparams, rounds, validators] = await reader.inners(
    ["hparams", HparamsInner],
    ["roundState", RoundStateInner],
    ["validatorRegistry", ValidatorRegistryInner],
  );
  const epochs = hparams.epochs.map(toEpoch);
  const running = epochs.length === 0 ? 0 : windowAt(epochs, nowMs);
  const rolled = rounds.rolled !== null && rounds.rolled >= running;
  return { hparams, rounds, validators, epochs, nowMs, running, rolled };
}

/** Refuse before the founding, as every call of the contracts does. */
export function assertFounded(head: Head): void {
  if (!head.hparams.founded) {
    throw new LedgerError("hparams", "ENotFounded", "the network is not founded yet");
  }
}

/** The hparams of the running window: those that wait for it where nobody has rolled. */
export function runningHparams({ hparams, rolled, running }: Head): Hparams {
  const { params, pending } = hparams;
  const due = !rolled && pending !== null && pending.effective <= running;
  return toHparams(due ? pending.params : params);
}

/** The validators seated in the running window, by uid. */
export function seatedValidators({ rolled, rounds, running, validators }: Head): ValidatorRow[] {
  const seats = validators.slots.map((slot) => ({
    uid: slot.uid,
    generation: slot.generation,
    owner: slot.owner,
    stake: slot.stake,
    // Founders count from the first window.
    activeFrom: rounds.rolled === null ? running : slot.active_from,
  }));
  if (rolled) return seats;
  const due = validators.pending.filter(({ effective }) => effective <= running);
  const left = seats.filter(({ uid }) => !due.some((change) => change.uid === uid));
  const come = due.flatMap(({ owner, stake, uid }) =>
    owner === null
      ? []
      : [{ uid, generation: validators.generations[uid]! + 1, owner, stake, activeFrom: running }]
  );
  return [...left, ...come].sort((a, b) => a.uid - b.uid);
}

/** A window's row, with what the next call would make of it. */
export interface WindowState {
  /** As on the chain. */
  readonly row: Of<typeof Window>;
  /** Its hparams. */
  readonly hparams: Hparams;
  /** Its moments. */
  readonly deadlines: Deadlines;
  /** A code of {@link STATUS}. */
  readonly status: number;
}

/** `row` of `window`, ended where its time is over: `round_state::close_if_over`. */
export function windowState(head: Head, window: number, row: Of<typeof Window>): WindowState {
  const hparams = toHparams(row.params);
  const times = deadlines(head.epochs, window, hparams);
  const due = !head.rolled && window < head.running && row.status < STATUS.closed;
  return {
    row,
    hparams,
    deadlines: times,
    status: due ? ended(head, window, row, times) : row.status,
  };
}

function ended(head: Head, window: number, row: Of<typeof Window>, times: Deadlines): number {
  const over = window + 2 <= head.running;
  if (!over && head.nowMs < times.reveal) return row.status;
  if (row.reveal_count === 0) return STATUS.closed;
  const quorum = hasReportQuorum(row);
  const late = over || head.nowMs >= times.report;
  if (row.status === STATUS.open && late && !quorum) return STATUS.skipped;
  return over || head.nowMs >= times.outcome ? STATUS.skipped : row.status;
}

/** More than half of the snapshot's stake has reported. */
export function hasReportQuorum(row: Of<typeof Window>): boolean {
  return 2n * row.reported_stake > row.snapshot_stake;
}

/** The row that the first call of the running window would open, or null where the window has one, or none. */
export function openedRow(head: Head, window: number): Of<typeof Window> | null {
  if (head.rolled || !head.hparams.founded || window !== head.running) return null;
  if (window < head.epochs[0]!.firstWindow) return null;
  const { params, pending } = head.hparams;
  const seats = seatedValidators(head).map(({ activeFrom, ...seat }) => ({
    ...seat,
    active_from: activeFrom,
  }));
  return {
    status: STATUS.open,
    params: pending !== null && pending.effective <= window ? pending.params : params,
    base: head.rounds.base,
    acc: new Uint8Array(32),
    reveal_count: 0,
    seats,
    snapshot_stake: seats.reduce((sum, { stake }) => sum + stake, 0n),
    reported_stake: 0n,
    outcome_stake: 0n,
    assign_seed: new Uint8Array(),
    judge_seed: new Uint8Array(),
  };
}
