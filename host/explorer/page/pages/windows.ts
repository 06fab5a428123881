/**
 * The list of windows.
 *
 * @module
 */
import { useData } from "../data.ts";
import { html, useState, type VNode } from "../dom.ts";
import { coins, nats, signed } from "../format.ts";
import { Hash, Heading, Show, Table } from "../parts.ts";
import type { Summary } from "../types.ts";

const LIMIT = 50;

/** `/windows`. */
export function WindowsPage(): VNode {
  const [before, setBefore] = useState<readonly number[]>([]);
  const at = before.at(-1);
  const query = at === undefined ? "" : `&before=${at}`;
  const page = useData<{ windows: Summary[]; next: number | null }>(
    `/windows?limit=${LIMIT}${query}`,
  );
  const next = page.data?.next ?? null;
  return html`
    <div>
      <${Heading}>Windows<//>
        <${Show} of=${page}>${(data: { windows: Summary[] }) =>
          html`<${WindowsTable} rows=${data.windows} />`}<//>
        <div class="row">
          <button disabled=${before.length === 0} onClick=${() =>
            setBefore(before.slice(0, -1))}>Newer</button>
          <button disabled=${next === null} onClick=${() =>
            setBefore([...before, next!])}>Older</button>
        </div>
      </div>
  `;
}

/** A table of windows. */
export function WindowsTable({ rows }: { rows: readonly Summary[] }): VNode {
  const gain = ({ currentLoss, mergedLoss }: Summary) =>
    currentLoss === null || mergedLoss === null ? null : mergedLoss - currentLoss;
  const columns = [
    {
      head: "Window",
      cell: ({ window }: Summary) => html`<a href=${`/window/${window}`}>${window}</a>`,
    },
    { head: "Status", cell: (row: Summary) => html`<${Status} row=${row} />` },
    { head: "Revealed", num: true, cell: ({ reveals }: Summary) => reveals },
    { head: "Accepted", num: true, cell: ({ accepted }: Summary) => accepted },
    { head: "Reports", num: true, cell: ({ reports }: Summary) => reports },
    { head: "Outcomes", num: true, cell: ({ outcomes }: Summary) => outcomes },
    { head: "Base loss", num: true, cell: ({ currentLoss }: Summary) => nats(currentLoss) },
    { head: "Merge", num: true, cell: (row: Summary) => signed(gain(row)) },
    { head: "Issued", num: true, cell: ({ issued }: Summary) => coins(issued, "VRAM") },
    { head: "Base", cell: ({ baseHash }: Summary) => html`<${Hash} value=${baseHash} />` },
  ];
  return html`
    <${Table} caption="Windows, the newest first" columns=${columns} rows=${rows}
      name=${({ window }: Summary) => window} empty="No window has begun yet." />
  `;
}

function Status({ row }: { row: Summary }): VNode {
  const kind = row.status === "closed" ? "good" : row.status === "skipped" ? "bad" : "quiet";
  return html`<span class=${kind} title=${row.skipReason ?? ""}>${row.status}</span>`;
}
