/**
 * The job board: its jobs, what one would cost, and the command that posts it.
 *
 * @module
 */
import { PRECISIONS } from "../../../ledger/jobs.ts";
import { useData } from "../data.ts";
import { html, useState, type VNode } from "../dom.ts";
import { coins, moment } from "../format.ts";
import { Heading, Show, Table, Wallet } from "../parts.ts";
import type { JobsAnswer, NetworkAnswer, QuoteAnswer } from "../types.ts";

type Job = JobsAnswer["jobs"][number];

/** `/training`. */
export function TrainingPage({ network }: { network: NetworkAnswer | null }): VNode {
  const board = useData<JobsAnswer>("/jobs?limit=100");
  const columns = [
    { head: "Job", num: true, cell: ({ id }: Job) => id },
    { head: "Status", cell: ({ status }: Job) => status },
    { head: "Model", num: true, cell: ({ spec }: Job) => `${spec.modelParamsM} M` },
    {
      head: "Tokens",
      num: true,
      cell: ({ spec }: Job) => `${spec.datasetTokensM} M × ${spec.numEpochs}`,
    },
    { head: "Format", cell: ({ spec }: Job) => spec.precision },
    { head: "Pays", num: true, cell: ({ payout }: Job) => coins(payout, "SUI") },
    { head: "Due", cell: ({ deadlineMs }: Job) => moment(deadlineMs) },
    {
      head: "Miner",
      cell: ({ miner }: Job) =>
        miner === null ? "–" : html`<a href=${`/miners/${miner.uid}`}>${miner.uid}</a>`,
    },
    { head: "Customer", cell: ({ customer }: Job) => html`<${Wallet} address=${customer} />` },
    { head: "Base", wrap: true, cell: ({ spec }: Job) => html`<code>${spec.baseRef}</code>` },
  ];
  return html`
    <div>
      <${Heading}>Training jobs<//>
        <${Quote} network=${network} />
        <h2>Board</h2>
        <${Show} of=${board}>${({ jobs, terms }: JobsAnswer) =>
          html`
            <div>
              <p class="quiet">The least price is ${coins(
                terms.minPrice,
                "SUI",
              )}, the fee ${terms.feeBps / 100} %.
                    A miner's claim and a dispute carry a bond of ${terms.bondBps / 100} %.</p>
              <${Table} caption="Jobs, the newest first" columns=${columns} rows=${jobs}
                name=${({ id }: Job) => id} empty="There is no job: be the first to post one." />
            </div>
          `}<//>
      </div>
  `;
}

interface NumberField {
  readonly name: string;
  readonly label: string;
  readonly option: string;
  readonly start: number;
  readonly least: number;
  readonly most: number;
}

/** Fields as `deno task vramhub job post` bounds them; the first three make the price. */
const FIELDS: readonly NumberField[] = [
  {
    name: "modelParamsM",
    label: "Parameters, millions",
    option: "--model-params-m",
    start: 124,
    least: 1,
    most: 10_000_000,
  },
  {
    name: "datasetTokensM",
    label: "Tokens, millions",
    option: "--dataset-tokens-m",
    start: 1_000,
    least: 1,
    most: 10_000_000,
  },
  {
    name: "numEpochs",
    label: "Passes over the data",
    option: "--num-epochs",
    start: 1,
    least: 1,
    most: 1_000,
  },
  {
    name: "datasetId",
    label: "Data set, its number",
    option: "--dataset-id",
    start: 0,
    least: 0,
    most: 1_000_000,
  },
  {
    name: "hours",
    label: "Hours until it is due",
    option: "--hours",
    start: 24,
    least: 1,
    most: 168,
  },
];
const PRICED = FIELDS.slice(0, 3).map(({ name }) => name);
const STARTS = Object.fromEntries(FIELDS.map(({ name, start }) => [name, start]));

function Quote({ network }: { network: NetworkAnswer | null }): VNode {
  const [amounts, setAmounts] = useState<Readonly<Record<string, number>>>(STARTS);
  const [precision, setPrecision] = useState("BF16");
  const [baseHash, setBaseHash] = useState("");
  const [baseRef, setBaseRef] = useState("");
  const [gain, setGain] = useState("");
  const priced = PRICED.map((name) => [name, String(amounts[name])]);
  const query = new URLSearchParams([...priced, ["precision", precision]]);
  const quote = useData<QuoteAnswer>(`/jobs/quote?${query}`);
  const command = [
    "deno task vramhub job post",
    ...FIELDS.map(({ name, option }) => `${option} ${amounts[name]}`),
    `--precision ${precision}`,
    `--min-improvement ${/^\d{1,3}(\.\d{1,6})?$/.test(gain) ? gain : "NATS"}`,
    `--base-hash ${/^[0-9a-f]{64}$/.test(baseHash) ? baseHash : "HASH"}`,
    `--base-ref ${baseRef === "" ? "REF" : quoted(baseRef)}`,
    network?.kind === "sui" ? `--network ${quoted(network.name)}` : "--data-dir DIR",
  ].join(" ");
  const setAmount = ({ least, most, name }: NumberField) => (event: Event) => {
    const { valueAsNumber: value } = event.target as HTMLInputElement;
    if (Number.isInteger(value) && value >= least && value <= most) {
      setAmounts({ ...amounts, [name]: value });
    }
  };
  const text = (label: string, value: string, set: (value: string) => void) =>
    html`<label>${label}<input type="text" maxlength="256" value=${value}
      onInput=${(event: Event) => set((event.target as HTMLInputElement).value)} /></label>`;
  return html`
    <section>
      <h2>What would it cost?</h2>
      <div class="form sheet">
          ${FIELDS.map((field) =>
            html`<label>${field.label}<input type="number" min=${field.least} max=${field.most}
          value=${field.start} onInput=${setAmount(field)} /></label>`
          )}
          <label>Number format<select value=${precision}
            onChange=${(event: Event) => setPrecision((event.target as HTMLSelectElement).value)}>
            ${PRECISIONS.map((name) =>
              html`<option value=${name}>${name}</option>`
            )}</select></label>
          ${text("Base: hash of its manifest", baseHash, setBaseHash)}
          ${text("Base: where it lies", baseRef, setBaseRef)}
          ${text("Least fall of the held-out loss, nats", gain, setGain)}
        </div>
      <${Show} of=${quote}>${({ fee, payout, total }: QuoteAnswer) =>
        html`<p><b data-testid="quote">${coins(total, "SUI")}</b>
      <span class="quiet"> = ${coins(payout, "SUI")} to the miner and ${
          coins(fee, "SUI")
        } fee</span></p>`}<//>
        <p>The command that posts it:</p>
        <pre data-testid="command">${command}</pre>
      </section>
  `;
}

/** A word as a shell takes it whole. */
function quoted(word: string): string {
  return /^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
