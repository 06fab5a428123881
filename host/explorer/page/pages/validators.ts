/**
 * The validators: what attests each one's judge, and how it agreed in the last windows.
 *
 * @module
 */
import { useData } from "../data.ts";
import { html, type VNode } from "../dom.ts";
import { coins, moment, NONE } from "../format.ts";
import { Badge, Heading, Show, Table, Wallet } from "../parts.ts";
import type { HistoryAnswer, Seat, Validator, ValidatorsAnswer } from "../types.ts";
import { SEAT_COLUMNS } from "./window.ts";

/** `/validators`. */
export function ValidatorsPage(): VNode {
  const loaded = useData<ValidatorsAnswer>("/validators");
  const columns = [
    { head: "Validator", cell: ({ uid }: Validator) => uid },
    { head: "Judge", cell: ({ badge }: Validator) => html`<${Badge} name=${badge} />` },
    { head: "Build", cell: ({ enclave }: Validator) => enclave?.measurement ?? NONE },
    {
      head: "Document",
      cell: ({ inspected }: Validator) =>
        inspected === null
          ? NONE
          : inspected.isAccepted
          ? html`<a class="good" href="/enclaves">every check passed</a>`
          : html`<a class="bad" href="/enclaves">refused</a>`,
    },
    { head: "Key expires", cell: ({ enclave }: Validator) => moment(enclave?.expiresMs ?? null) },
    { head: "Stake", num: true, cell: ({ stake }: Validator) => coins(stake, "SUI") },
    { head: "Owner", cell: ({ owner }: Validator) => html`<${Wallet} address=${owner} />` },
  ];
  return html`
    <div>
      <${Heading}>Validators<//>
        <${Show} of=${loaded}>${({ validators }: ValidatorsAnswer) =>
          html`<div>
      <${Table} caption=${`${validators.length} validators`} columns=${columns} rows=${validators}
        name=${({ uid }: Validator) => uid} empty="There is no validator yet." />
      ${validators.map(({ uid }) => html`<${Agreement} key=${uid} uid=${uid} />`)}
    </div>`}<//>
      </div>
  `;
}

type Row = HistoryAnswer<Seat>["windows"][number];

function Agreement({ uid }: { uid: number }): VNode {
  const loaded = useData<HistoryAnswer<Seat>>(`/validators/${uid}/windows`);
  const columns = [
    {
      head: "Window",
      cell: ({ window }: Row) => html`<a href=${`/window/${window}`}>${window}</a>`,
    },
    { head: "Status", cell: ({ status }: Row) => status },
    ...SEAT_COLUMNS.slice(1).map(({ cell, ...column }) => ({
      ...column,
      cell: ({ row }: Row) => row === null ? NONE : cell(row),
    })),
  ];
  return html`
    <section>
      <h2>Validator ${uid} in the last windows</h2>
      <${Show} of=${loaded}>${({ windows }: HistoryAnswer<Seat>) =>
        html`
          <${Table} caption=${`How validator ${uid} agreed with what was settled`} columns=${columns}
            rows=${windows} name=${({ window }: Row) =>
              `${uid}-${window}`} empty="No window has begun yet." />
        `}<//>
      </section>
  `;
}
