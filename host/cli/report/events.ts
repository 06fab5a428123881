/**
 * The check of the ledger's events: each agrees with the rest of the receipt, and none is missing.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { windowAt } from "../../../enclave/protocol/window.ts";
import { PAY_POLICY } from "../../ledger/pay.ts";
import { bodyOf, type Facts, holds } from "./facts.ts";
import { movedBase } from "./settled.ts";

/** Longer values are not shown: messages have kilobytes. */
const MAX_SHOWN = 200;

interface Event {
  readonly seq: number;
  readonly atMs: number;
  readonly kind: string;
  readonly body: Record<string, unknown>;
}

/** The events agree with the rest, kind by kind, in number and order. */
export function checkEvents(facts: Facts): string {
  const events = read(facts);
  const rest = new Map<string, Event[]>();
  for (const event of events) rest.set(event.kind, [...rest.get(event.kind) ?? [], event]);
  const take = (kind: string): Event[] => {
    const found = rest.get(kind) ?? [];
    rest.delete(kind);
    return found;
  };
  for (const [kind, wanted] of expected(facts)) agree(kind, take(kind), wanted);
  checkCommits(facts, take("gradient_registry::GradientCommitted"));
  checkSeeds(facts, take("round_state::SeedDrawn"));
  checkFees(facts, take("peer_registry::UnrevealedCharged"));
  checkSteps(facts, take("score_ledger::SettleAdvanced"));
  const slashed = take("validator_registry::ValidatorSlashed");
  const [unknown] = rest.keys();
  holds(unknown === undefined, `an event ${unknown} is none of this window's`);
  const last = events.at(-1);
  holds(last !== undefined, "there are no events");
  const note = slashed.length === 0 ? "" : `; ${slashed.length} validators were slashed for it`;
  return `${events.length} events, seq ${events[0]!.seq} to ${last.seq}${note}`;
}

/** The events with their bodies: ascending, and of the windows that their times say. */
function read({ receipt, epochs, window }: Facts): Event[] {
  let before = { seq: 0, atMs: 0 };
  return receipt.events.map((row) => {
    const event: Event = {
      seq: row.seq,
      atMs: row.at_ms,
      kind: row.kind,
      body: bodyOf(row),
    };
    holds(event.seq > before.seq && event.atMs >= before.atMs, `event ${row.seq} is out of order`);
    before = event;
    // Later epochs are not in the receipt.
    const known = row.window <= window + 2;
    const at = windowAt(epochs, event.atMs);
    holds(!known || at === row.window, `event ${row.seq} is of window ${at}, not ${row.window}`);
    return event;
  });
}

interface Wanted {
  readonly body: Record<string, unknown>;
  /** From when, and until when (exclusive), it may have happened. */
  readonly from?: number;
  readonly until?: number;
}

/** Kinds whose events follow from the rest of the receipt, field by field. */
function expected(facts: Facts): [kind: string, wanted: Wanted[]][] {
  const { receipt, context, window, deadlines, settled } = facts;
  const { status, settlement, payout } = receipt;
  const { start, commit, reveal, end } = deadlines;
  const signed = (rows: typeof receipt.reports): Wanted[] =>
    rows.map(({ validator, message, at_ms }) => ({
      body: { window, validator, message: toHex(message) },
      from: at_ms,
      until: at_ms + 1,
    }));
  const move = payout === null ? null : movedBase(facts);
  const anchor = move === null
    ? []
    : [{ body: { window: window + 2, manifestHash: toHex(move.hash), gain: move.gain } }];
  const paid = receipt.events.find(({ kind }) => kind === "reward_distributor::WindowPaid");
  const { treasury, total } = paid === undefined ? {} : bodyOf(paid);
  const list: [string, Wanted[]][] = [
    ["round_state::WindowOpened", [{
      body: {
        window,
        baseHash: toHex(context.baseHash),
        snapshot: receipt.snapshot.map(({ uid, owner, stake }) => ({ uid, owner, stake })),
      },
      from: start,
      until: end,
    }]],
    [
      "gradient_registry::GradientRevealed",
      receipt.reveals.map((row) => ({
        body: {
          window,
          uid: row.uid,
          commitSeq: row.commit_seq,
          contentHash: toHex(row.content_hash),
          size: row.size,
          codec: row.codec,
          ref: row.ref,
        },
        from: commit,
        until: reveal,
      })),
    ],
    ["score_ledger::ReportSubmitted", signed(receipt.reports)],
    ["score_ledger::OutcomeSubmitted", signed(receipt.outcomes)],
    [
      "reward_distributor::WindowPaid",
      payout === null
        ? []
        : [{ body: { window, policy: PAY_POLICY, issued: payout.issued, treasury, total } }],
    ],
    ["round_state::BaseAnchored", move?.moved ? anchor : []],
    ["round_state::BaseKept", move?.moved ? [] : anchor],
    ["round_state::WindowClosed", status === "closed" ? [{ body: { window } }] : []],
    [
      "round_state::WindowSkipped",
      status === "skipped" ? [{ body: { window, reason: receipt.skip_reason } }] : [],
    ],
  ];
  if (settlement !== null) {
    const { randomBefore } = settled!;
    const body = { window, digest: toHex(settlement.digest), randomBefore };
    list.push(["score_ledger::WindowSettled", [{ body, from: end }]]);
  } else if (status === "skipped") {
    // What was staged was dropped: the event alone is left of it.
    const left = receipt.events.filter(({ kind }) => kind === "score_ledger::WindowSettled");
    list.push([
      "score_ledger::WindowSettled",
      left.map((row) => ({
        body: { ...bodyOf(row), window },
        from: end,
      })),
    ]);
  }
  return list;
}

function agree(kind: string, found: readonly Event[], wanted: readonly Wanted[]): void {
  const many = `there are ${found.length} events ${kind}, there should be ${wanted.length}`;
  holds(found.length === wanted.length, many);
  for (const [i, { body, from = 0, until = Infinity }] of wanted.entries()) {
    const { seq, atMs, body: said } = found[i]!;
    for (const field of new Set([...Object.keys(body), ...Object.keys(said)])) {
      const [a, b] = [JSON.stringify(said[field]), JSON.stringify(body[field])];
      const values = `${a}${b}`.length > MAX_SHOWN ? "" : `: ${a}, not ${b}`;
      holds(a === b, `event ${seq} (${kind}) has another ${field} than the receipt${values}`);
    }
    holds(atMs >= from && atMs < until, `event ${seq} (${kind}) happened at ${atMs}`);
  }
}

/** One commit a uid, in time; every reveal's commit is among them. Salts are not public, so no more can be said. */
function checkCommits({ receipt, window, deadlines }: Facts, events: readonly Event[]): void {
  const seqOf = new Map<unknown, unknown>();
  for (const { seq, atMs, body: { window: of, uid, seq: number, commitment, ...rest } } of events) {
    const sound = of === window && Object.keys(rest).length === 0 && !seqOf.has(uid) &&
      typeof commitment === "string" && /^[0-9a-f]{64}$/.test(commitment) &&
      atMs >= deadlines.start && atMs < deadlines.commit;
    holds(sound, `event ${seq} is no commit of this window`);
    seqOf.set(uid, number);
  }
  for (const { uid, commit_seq } of receipt.reveals) {
    holds(seqOf.get(uid) === commit_seq, `uid ${uid} did not commit as number ${commit_seq}`);
  }
}

/** Where the ledger draws, each seed of the window was drawn once, not before its time, and is the one that was used. */
function checkSeeds({ context, window, deadlines }: Facts, events: readonly Event[]): void {
  const { randomness } = context;
  const seeds = randomness.kind === "ledger"
    ? [
      { judge: false, seed: randomness.assignSeed, from: deadlines.start },
      { judge: true, seed: randomness.judgeSeed, from: deadlines.reveal },
    ].filter(({ seed }) => seed.some((byte) => byte !== 0)) // zeros: nobody has asked for it
    : [];
  holds(
    events.length === seeds.length,
    `there are ${events.length} drawn seeds, there should be ${seeds.length}`,
  );
  for (const { atMs, body: { judge, seed: said, window: of, ...rest }, seq } of events) {
    const drawn = seeds.find((seed) => seed.judge === judge);
    const sound = drawn !== undefined && of === window && Object.keys(rest).length === 0 &&
      said === toHex(drawn.seed) && atMs >= drawn.from;
    holds(sound, `event ${seq} drew no seed of this window`);
    seeds.splice(seeds.indexOf(drawn!), 1);
  }
}

/** Fees are of those who committed and did not reveal. */
function checkFees({ receipt, hparams, window }: Facts, events: readonly Event[]): void {
  for (const { seq, body: { window: of, uid, fee, ...rest } } of events) {
    const revealed = receipt.reveals.some((row) => row.uid === uid);
    const sound = of === window && Object.keys(rest).length === 0 && !revealed &&
      typeof fee === "string" && /^\d{1,20}$/.test(fee) &&
      BigInt(fee) <= BigInt(hparams.unrevealed_fee);
    holds(sound, `event ${seq} is no fee for an unrevealed commit`);
  }
}

/** A settlement advances uid by uid. */
function checkSteps({ uids, window, deadlines }: Facts, events: readonly Event[]): void {
  let before = -1;
  for (const { seq, atMs, body: { window: of, cursor, ...rest } } of events) {
    const sound = of === window && Object.keys(rest).length === 0 && atMs >= deadlines.end &&
      typeof cursor === "number" && uids.includes(cursor) && cursor > before;
    holds(sound, `event ${seq} is no step of the settlement`);
    before = cursor as number;
  }
}
