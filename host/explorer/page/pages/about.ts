/**
 * Data sets, how to join, and what stands behind these pages.
 *
 * @module
 */
import { useData } from "../data.ts";
import { html, useMemo, type VNode } from "../dom.ts";
import { count } from "../format.ts";
import { Hash, Heading, Show, Table, Wallet } from "../parts.ts";
import type { DatasetsAnswer, NetworkAnswer } from "../types.ts";

type Row = DatasetsAnswer["datasets"][number];

/** `/datasets`. */
export function DatasetsPage(): VNode {
  const loaded = useData<DatasetsAnswer>("/datasets");
  const columns = (active: string) => [
    { head: "Data set", num: true, cell: ({ id }: Row) => id },
    {
      head: "Use",
      cell: ({ retired, root }: Row) =>
        root === active ? "trained on" : retired ? "retired" : "for jobs",
    },
    { head: "Pages", num: true, cell: ({ pageCount }: Row) => count(pageCount) },
    { head: "Tokens a page", num: true, cell: ({ pageTokens }: Row) => count(pageTokens) },
    { head: "Tokens", num: true, cell: (row: Row) => count(row.pageCount * row.pageTokens) },
    { head: "Root", cell: ({ root }: Row) => html`<${Hash} value=${root} />` },
    { head: "Merkle root", cell: ({ merkleRoot }: Row) => html`<${Hash} value=${merkleRoot} />` },
    {
      head: "Tokenizer",
      cell: ({ tokenizerHash }: Row) => html`<${Hash} value=${tokenizerHash} />`,
    },
    {
      head: "Owner",
      cell: ({ owner }: Row) =>
        owner === null ? "the network" : html`<${Wallet} address=${owner} />`,
    },
  ];
  return html`
    <div>
      <${Heading}>Data sets<//>
        <${Show} of=${loaded}>${({ active, datasets }: DatasetsAnswer) =>
          html`
            <${Table} caption="Anchored on the ledger" columns=${columns(active)} rows=${datasets}
              name=${({ id }: Row) => id} empty="No data set is anchored." />
          `}<//>
      </div>
  `;
}

/** `/join`. */
export function JoinPage({ network }: { network: NetworkAnswer | null }): VNode {
  const name = network?.kind === "sui" ? `--network ${network.name}` : "--data-dir DIR";
  const step = (title: string, why: string, command: string) =>
    html`
      <section>
        <h2>${title}</h2>
        <p>${why}</p>
        <pre>${command}</pre>
      </section>
    `;
  return html`
    <div>
      <${Heading}>Join<//>
        ${step(
          "Look first",
          "The whole network on one machine, no account, nothing worth anything:",
          "deno task validator --test-mode",
        )}
        ${network?.kind === "sui"
          ? step(
            "Mine",
            "Train on your assigned pages and submit gradients:",
            `deno task vramhub register-miner ${name}\ndeno task miner ${name}`,
          )
          : step(
            "Mine",
            "Join the network in this folder (DIR is what the validator printed):",
            "deno task miner --test-mode --data-dir DIR",
          )}
        ${step(
          "See how you do",
          "Your slot, its rating and its last windows:",
          `deno task vramhub status --uid UID ${name}`,
        )}
        ${step(
          "Trust nobody",
          "Check a window's receipt on your own machine:",
          "deno task report verify DIR/receipts/window-N.cbor",
        )}
      </div>
  `;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, { readonly get: { readonly summary: string } }>>;
}

/** `/docs`. */
export function DocsPage(): VNode {
  const loaded = useData<OpenApi>("/openapi.json", false);
  const columns = useMemo(() => [
    { head: "Path", cell: ([path]: [string, string]) => html`<code>${path}</code>` },
    { head: "Answers", wrap: true, cell: ([, summary]: [string, string]) => summary },
  ], []);
  return html`
    <div>
      <${Heading}>Docs<//>
        <div class="sheet">
          <p><b>A window</b> is a fixed length of time. In it miners train from a base, commit to their
            gradient, and reveal it. In the next one judges measure every gradient on pages that nobody
            could know before, and sign what they found; the ledger settles the medians and pays.</p>
          <p><b>A score</b> is how far a gradient lowers the loss on random pages, in nats. It counts from
            3 millionths on. <b>Own − random</b> rises where a miner's gradient helps on its own pages more
            than on random ones: it trained on what it was assigned.</p>
          <p><b>Badges.</b> NITRO ENCLAVE: the judge's document hangs from AWS's root. DEV: a ledger that
            authenticates nobody. SIMULATED: a test root, which proves no hardware.</p>
          <p><b>The proof</b> on a window's page runs the verifier of this project in your browser, over
            the window's receipt, and compares the page with it. It does not measure the losses again:
            <code>deno task audit replay</code> does.</p>
          <p><b>Keys.</b> Press <kbd>/</kbd> to search, Tab to move, Enter to follow.</p>
        </div>
        <h2>The API</h2>
        <${Show} of=${loaded}>${(api: OpenApi) =>
          html`
            <${Table} caption="Everything here is also JSON" columns=${columns}
              rows=${Object.entries(api.paths).map(([path, { get }]) => [path, get.summary])}
              name=${([path]: [string, string]) => path} empty="Nothing is documented." />
          `}<//>
      </div>
  `;
}
