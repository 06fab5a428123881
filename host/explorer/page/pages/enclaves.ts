/**
 * The judges' attestation documents, check by check; here, or again in this browser.
 *
 * @module
 */
import type { Inspected } from "../../attested.ts";
import { useData } from "../data.ts";
import { html, useState, type VNode } from "../dom.ts";
import { moment } from "../format.ts";
import { Badge, Facts, Hash, Heading, Show, Table } from "../parts.ts";
import type { Validator, ValidatorsAnswer } from "../types.ts";
import { loadProof } from "./proof.ts";

/** `/enclaves`. */
export function EnclavesPage(): VNode {
  const loaded = useData<ValidatorsAnswer>("/validators");
  return html`
    <div>
      <${Heading}>Enclaves<//>
        <${Show} of=${loaded}>${(data: ValidatorsAnswer) =>
          html`<div>
      <h2>Approved builds</h2>
      <${Approved} rows=${data.expected.measurements} />
      ${
            data.validators.map((row) =>
              html`<${Document} key=${row.uid} row=${row} expected=${data.expected} />`
            )
          }
    </div>`}<//>
      </div>
  `;
}

type Build = ValidatorsAnswer["expected"]["measurements"][number];

function Approved({ rows }: { rows: readonly Build[] }): VNode {
  const columns = [
    { head: "Build", cell: ({ name }: Build) => name },
    ...[0, 1, 2].map((i) => ({
      head: `PCR${i}`,
      cell: ({ pcrs }: Build) => html`<${Hash} value=${pcrs[i] ?? null} />`,
    })),
  ];
  return html`
    <${Table} caption="Measurements that the ledger approves" columns=${columns} rows=${rows}
      name=${({ name }: Build) => name} empty="No build is approved." />
  `;
}

function Document(
  { expected, row }: { expected: ValidatorsAnswer["expected"]; row: Validator },
): VNode {
  const [own, setOwn] = useState<Inspected | string | null>(null);
  const { badge, enclave, inspected, uid } = row;
  if (enclave === null || inspected === null) {
    return html`
      <section>
        <h2>Validator ${uid}</h2>
        <p
          class="sheet bad">It has no active key: none was registered, or it expired, or its build was removed.</p>
      </section>
    `;
  }
  const again = async () => {
    try {
      setOwn(await (await loadProof()).inspect(enclave, expected));
    } catch (error) {
      setOwn(error instanceof Error ? error.message : String(error));
    }
  };
  return html`
    <section>
      <h2>Validator ${uid} <${Badge} name=${badge} /></h2>
      <${Facts} rows=${[
        ["Key", html`<${Hash} value=${enclave.key} />`],
        ["Made", moment(enclave.documentMs)],
        ["Registered", moment(enclave.registeredMs)],
        ["Expires", moment(enclave.expiresMs)],
        ["Document", `${enclave.document.length / 2} bytes, COSE_Sign1`],
        ["Build", inspected.measurement ?? "none that is approved"],
        ...inspected.pcrs.map(({ approvedIn, index, value }) =>
          [
            `PCR${index}`,
            html`<span><${Hash} value=${value} /> ${
              approvedIn.length === 0
                ? html`<b class="bad">not approved</b>`
                : html`<span class="good">as approved in ${approvedIn.join(", ")}</span>`
            }</span>`,
          ] as const
        ),
      ]} />
      <div class="row"><button type="button" onClick=${again}>Check again in this browser</button>
          <span role="status">${typeof own === "string"
            ? html`<span class="bad">${own}</span>`
            : own === null
            ? null
            : own.isAccepted
            ? html`<span class="good">Every check passes in this browser, too.</span>`
            : html`<span class="bad">Refused in this browser.</span>`}</span></div>
      <${Checks} inspected=${typeof own === "object" && own !== null ? own : inspected} />
    </section>
  `;
}

function Checks({ inspected }: { inspected: Inspected }): VNode {
  const kind = { pass: "good", fail: "bad", unmade: "quiet" } as const;
  return html`<ul class="checks sheet">${
    inspected.checks.map(({ check, detail, result }) =>
      html`<li><b class=${kind[result]}>${check}</b> ${result === "unmade" ? "not made" : result} ${
        detail ?? ""
      }</li>`
    )
  }</ul>`;
}
