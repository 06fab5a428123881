/**
 * One window: every gradient, every validator beside the median, and the proof.
 *
 * @module
 */
import { useData } from "../data.ts";
import { html, useState, type VNode } from "../dom.ts";
import { average, coins, moment, nats, NONE, rating, signed } from "../format.ts";
import { Facts, Hash, Heading, Show, Table, Verdict, Wallet } from "../parts.ts";
import type { Detail, Gradient, GradientAnswer, NetworkAnswer, Seat } from "../types.ts";
import { Proof } from "./proof.ts";

/** `/window/[id]`. */
export function WindowPage(
  { argument, network }: { argument: string; network: NetworkAnswer | null },
): VNode {
  const [ended, setEnded] = useState(false);
  const loaded = useData<Detail>(`/windows/${argument}`, !ended);
  const current = network?.current.window ?? 0;
  const { data } = loaded;
  // What is over for two windows changes no more.
  const over = data !== null && ["closed", "skipped"].includes(data.status) &&
    data.window < current - 1;
  if (over && !ended) setEnded(true);
  return html`
    <div>
      <${Heading}>${`Window ${argument}`}<//>
        <div class="row">
          <a href=${`/window/${Math.max(0, Number(argument) - 1)}`}>← before</a>
          <a href=${`/window/${Number(argument) + 1}`}>after →</a>
        </div>
        <${Show} of=${loaded}>${(detail: Detail) =>
          html`<${Shown} detail=${detail} network=${network} />`}<//>
      </div>
  `;
}

function Shown({ detail, network }: { detail: Detail; network: NetworkAnswer | null }): VNode {
  const { context, deadlines, gradients, payout, status, validators } = detail;
  const { randomness } = context;
  const drawn = randomness.kind === "drand"
    ? `drand rounds ${randomness.assignRound} and ${randomness.judgeRound}`
    : "drawn by the ledger";
  return html`
    <div>
      <${Facts} rows=${[
        [
          "Status",
          html`<b data-testid="status">${status}</b>${
            detail.skipReason === null ? "" : `: ${detail.skipReason}`
          }`,
        ],
        ["Time", `${moment(deadlines.start)} to ${moment(deadlines.end)}`],
        ["Reports until", moment(deadlines.report)],
        ["Outcomes until", moment(deadlines.outcome)],
        ["Randomness", drawn],
        ["Digest", html`<${Hash} value=${detail.digest} />`],
        ["Settled digest", html`<${Hash} value=${detail.settledDigest} />`],
        ["Base", html`<${Hash} value=${context.baseHash} />`],
        ["Merged base", html`<${Hash} value=${payout?.mergedHash ?? null} />`],
        [
          "Loss on held-out pages",
          payout === null ? NONE : `${nats(payout.currentLoss)} → ${nats(payout.mergedLoss)} nats`,
        ],
        ["Loss on random pages", `${nats(detail.randomBefore)} nats`],
        ["Issued", coins(payout?.issued ?? null, "VRAM")],
      ]} />
      <${Proof} detail=${detail} network=${network} />
      <h2>Gradients</h2>
      <${Gradients} window=${detail.window} rows=${gradients} before=${detail.randomBefore} />
      <h2>Validators beside the median</h2>
      <${Validators} rows=${validators} />
    </div>
  `;
}

function Gradients(
  { before, rows, window }: { before: number | null; rows: readonly Gradient[]; window: number },
): VNode {
  const [open, setOpen] = useState<number | null>(null);
  const change = (from: number | null, to: number | null) =>
    from === null && to === null ? NONE : `${nats(from)} → ${nats(to)}`;
  const columns = [
    { head: "Miner", cell: ({ uid }: Gradient) => html`<a href=${`/miners/${uid}`}>${uid}</a>` },
    { head: "Verdict", cell: ({ verdict }: Gradient) => html`<${Verdict} name=${verdict} />` },
    { head: "Own pages", num: true, cell: (row: Gradient) => change(row.ownBefore, row.ownAfter) },
    {
      head: "Random pages",
      num: true,
      cell: (row: Gradient) => row.randomAfter === null ? NONE : change(before, row.randomAfter),
    },
    { head: "Score", num: true, cell: ({ score }: Gradient) => signed(score) },
    { head: "Own − random", num: true, cell: (row: Gradient) => average(row.average) },
    { head: "Rating", num: true, cell: ({ mu, sigma }: Gradient) => rating(mu, sigma) },
    { head: "Reward", num: true, cell: ({ reward }: Gradient) => coins(reward, "VRAM") },
    {
      head: "Judges",
      cell: ({ uid }: Gradient) =>
        html`
          <button type="button" aria-expanded=${open === uid}
            onClick=${() => setOpen(open === uid ? null : uid)}>each</button>
        `,
    },
    { head: "Bytes", num: true, cell: ({ size }: Gradient) => size },
    { head: "SHA-256", cell: (row: Gradient) => html`<${Hash} value=${row.contentHash} />` },
    {
      head: "Where its miner says it lies",
      wrap: true,
      cell: ({ ref }: Gradient) => html`<code>${ref}</code>`,
    },
    { head: "Owner", cell: ({ owner }: Gradient) => html`<${Wallet} address=${owner} />` },
  ];
  return html`<div>
    ${open === null ? null : html`<${Judges} window=${window} uid=${open} />`}
    <${Table} caption=${`${rows.length} gradients; losses in nats, before → after`} columns=${columns}
      rows=${rows} name=${({ uid }: Gradient) => uid} empty="Nobody revealed a gradient." />
  </div>`;
}

type JudgeRow = GradientAnswer["reports"][number];

/** What each judge measured of one gradient, beside the median. */
function Judges({ uid, window }: { uid: number; window: number }): VNode {
  const loaded = useData<GradientAnswer>(`/windows/${window}/gradients/${uid}`);
  const columns = (median: Gradient) => {
    const beside = (own: number | null, middle: number | null) =>
      own === null ? NONE : `${nats(own)}${middle === null ? "" : ` (${signed(own - middle)})`}`;
    return [
      { head: "Validator", cell: ({ validator }: JudgeRow) => validator },
      { head: "Verdict", cell: ({ verdict }: JudgeRow) => html`<${Verdict} name=${verdict} />` },
      { head: "As settled", cell: ({ same }: JudgeRow) => same ? "yes" : "no" },
      {
        head: "Own before",
        num: true,
        cell: (row: JudgeRow) => beside(row.ownBefore, median.ownBefore),
      },
      {
        head: "Own after",
        num: true,
        cell: (row: JudgeRow) => beside(row.ownAfter, median.ownAfter),
      },
      {
        head: "Random after",
        num: true,
        cell: (row: JudgeRow) => beside(row.randomAfter, median.randomAfter),
      },
    ];
  };
  return html`<${Show} of=${loaded}>${(data: GradientAnswer) =>
    html`
      <${Table} caption=${`What each judge measured of miner ${uid}'s gradient, and how far that is from the median`}
        columns=${columns(data.gradient)} rows=${data.reports} name=${({ validator }: JudgeRow) =>
          `judge-${validator}`}
        empty="No judge has reported yet." />
    `}<//>`;
}

function Validators({ rows }: { rows: readonly Seat[] }): VNode {
  return html`
    <${Table} caption="Each validator's report, beside what was settled" columns=${SEAT_COLUMNS}
      rows=${rows} name=${({ uid }: Seat) => `validator-${uid}`} empty="There is no validator." />
  `;
}

/** Columns of a validator's part in a window. */
export const SEAT_COLUMNS = [
  { head: "Validator", cell: ({ uid }: Seat) => html`<a href=${`/validators#${uid}`}>${uid}</a>` },
  { head: "Reported", cell: ({ reportMs }: Seat) => moment(reportMs) },
  {
    head: "Same verdict",
    num: true,
    cell: (row: Seat) => row.reportMs === null ? NONE : `${row.same} of ${row.entries}`,
  },
  { head: "Abstained", num: true, cell: ({ abstained }: Seat) => abstained },
  { head: "Far off", num: true, cell: ({ far }: Seat) => far },
  {
    head: "Largest distance",
    num: true,
    cell: ({ largest }: Seat) => largest === null ? NONE : `${signed(largest)} nats`,
  },
  { head: "Outcome", cell: ({ outcomeMs }: Seat) => moment(outcomeMs) },
  {
    head: "Signed base",
    cell: ({ manifestHash }: Seat) => html`<${Hash} value=${manifestHash} />`,
  },
  {
    head: "Counted",
    cell: ({ counted }: Seat) => counted === null ? NONE : counted ? "yes" : "no",
  },
  { head: "Reward", num: true, cell: ({ reward }: Seat) => coins(reward, "VRAM") },
];
