/**
 * The miners, and one of them.
 *
 * @module
 */
import { useData } from "../data.ts";
import { html, useState, type VNode } from "../dom.ts";
import { average, coins, rating, signed } from "../format.ts";
import { Facts, Heading, Show, Table, Verdict, Wallet } from "../parts.ts";
import type { Gradient, HistoryAnswer, Miner } from "../types.ts";

const ordinal = ({ mu, sigma }: Miner) => mu - 3 * sigma;

/** `/miners`. */
export function MinersPage(): VNode {
  const miners = useData<{ miners: Miner[] }>("/miners");
  const columns = [
    { head: "Miner", cell: ({ uid }: Miner) => html`<a href=${`/miners/${uid}`}>${uid}</a>` },
    { head: "Ordinal", num: true, cell: (row: Miner) => (ordinal(row) / 1e6).toFixed(2) },
    { head: "Rating", num: true, cell: ({ mu, sigma }: Miner) => rating(mu, sigma) },
    { head: "Own − random", num: true, cell: (row: Miner) => average(row.average) },
    { head: "Measured", num: true, cell: ({ measured }: Miner) => measured },
    { head: "Accepted", num: true, cell: ({ accepted }: Miner) => accepted },
    {
      head: "Last accepted",
      num: true,
      cell: (row: Miner) => row.lastAccepted < 0 ? "never" : row.lastAccepted,
    },
    { head: "Stake", num: true, cell: ({ stake }: Miner) => coins(stake, "SUI") },
    { head: "Owner", cell: ({ owner }: Miner) => html`<${Wallet} address=${owner} />` },
  ];
  const sorted = (rows: readonly Miner[]) => [...rows].sort((a, b) => ordinal(b) - ordinal(a));
  return html`
    <div>
      <${Heading}>Miners<//>
        <${Show} of=${miners}>${(data: { miners: Miner[] }) =>
          html`
            <${Table} caption=${`${data.miners.length} miners, the highest ordinal first`} columns=${columns}
              rows=${sorted(data.miners)} name=${({ uid }: Miner) =>
                uid} empty="There is no miner yet." />
          `}<//>
      </div>
  `;
}

/** `/miners/[uid]`. */
export function MinerPage({ argument }: { argument: string }): VNode {
  const loaded = useData<{ miner: Miner }>(`/miners/${argument}`);
  const [before, setBefore] = useState<number | null>(null);
  const query = before === null ? "" : `?before=${before}`;
  const history = useData<HistoryAnswer<Gradient>>(`/miners/${argument}/windows${query}`);
  const columns = [
    {
      head: "Window",
      cell: (row: HistoryRow) => html`<a href=${`/window/${row.window}`}>${row.window}</a>`,
    },
    { head: "Status", cell: ({ status }: HistoryRow) => status },
    {
      head: "Verdict",
      cell: ({ row }: HistoryRow) =>
        row === null
          ? html`<span class="quiet">no gradient</span>`
          : html`<${Verdict} name=${row.verdict} />`,
    },
    { head: "Score", num: true, cell: ({ row }: HistoryRow) => signed(row?.score ?? null) },
    {
      head: "Own − random",
      num: true,
      cell: ({ row }: HistoryRow) => average(row?.average ?? null),
    },
    {
      head: "Rating",
      num: true,
      cell: ({ row }: HistoryRow) => rating(row?.mu ?? null, row?.sigma ?? null),
    },
    {
      head: "Reward",
      num: true,
      cell: ({ row }: HistoryRow) => coins(row?.reward ?? null, "VRAM"),
    },
  ];
  const next = history.data?.next ?? null;
  return html`
    <div>
      <${Heading}>${`Miner ${argument}`}<//>
        <${Show} of=${loaded}>${({ miner }: { miner: Miner }) =>
          html`<${Facts} rows=${[
            ["Owner", html`<${Wallet} address=${miner.owner} />`],
            [
              "Rating",
              `${rating(miner.mu, miner.sigma)}, ordinal ${(ordinal(miner) / 1e6).toFixed(2)}`,
            ],
            ["Own − random", average(miner.average)],
            ["Measured", `${miner.measured} windows, accepted in ${miner.accepted}`],
            ["Stake", coins(miner.stake, "SUI")],
            ["Active from", `window ${miner.activeFrom}, owner number ${miner.generation}`],
          ]} />`}<//>
        <h2>Its windows</h2>
        <${Show} of=${history}>${(data: HistoryAnswer<Gradient>) =>
          html`
            <${Table} caption="What became of its gradients" columns=${columns} rows=${data.windows}
              name=${({ window }: HistoryRow) => window} empty="There are no older windows." />
          `}<//>
        <div class="row">
          <button disabled=${before === null} onClick=${() => setBefore(null)}>Newest</button>
          <button disabled=${next === null} onClick=${() => setBefore(next)}>Older</button>
        </div>
      </div>
  `;
}

type HistoryRow = HistoryAnswer<Gradient>["windows"][number];
