/**
 * The network at a glance.
 *
 * @module
 */
import { Chart } from "../chart.ts";
import { useData } from "../data.ts";
import { html, useEffect, useState, type VNode } from "../dom.ts";
import { coins, count, duration, nats } from "../format.ts";
import { Elsewhere, Hash, Heading, Show } from "../parts.ts";
import type { CurveAnswer, NetworkAnswer, Summary } from "../types.ts";
import { WindowsTable } from "./windows.ts";

const POINTS = 300;

/** `/`. */
export function HomePage({ network }: { network: NetworkAnswer | null }): VNode {
  const curve = useData<CurveAnswer>(`/curve?points=${POINTS}`);
  const windows = useData<{ windows: Summary[] }>("/windows?limit=8");
  return html`
    <div>
      <${Heading}>The network<//>
        ${network === null
          ? html`<p class="quiet">Loading …</p>`
          : html`<${Glance} network=${network} />`}
        <${Show} of=${curve}>${(data: CurveAnswer) => html`<${Curves} data=${data} />`}<//>
        <h2>Last windows</h2>
        <${Show} of=${windows}>${(data: { windows: Summary[] }) =>
          html`<${WindowsTable} rows=${data.windows} />`}<//>
      </div>
  `;
}

function Glance({ network }: { network: NetworkAnswer }): VNode {
  const { current, previous, supply } = network;
  const card = (name: string, value: unknown, small: unknown = null) =>
    html`
      <div class="card">
        <dt>${name}</dt>
        <dd>${value}${small === null ? null : html`<small>${small}</small>`}</dd>
      </div>
    `;
  const judging = previous === null
    ? "nothing"
    : `${previous.reports} of ${previous.judges} reports, ${previous.outcomes} outcomes, ${previous.status}`;
  return html`
    <div>
      <${Phase} network=${network} />
      <dl class="cards">
          ${card("Network", network.name, `${network.kind} ledger, model ${network.model}`)}
          ${card(
            "Window",
            html`<a href=${`/window/${current.window}`}>${current.window}</a>`,
            `${current.reveals} revealed so far`,
          )}
          ${card(
            "Being judged",
            previous === null
              ? "–"
              : html`<a href=${`/window/${previous.window}`}>${previous.window}</a>`,
            judging,
          )}
          ${card("Miners", html`<a href="/miners">${network.miners}</a>`)}
          ${card("Validators", html`<a href="/validators">${network.validators}</a>`)}
          ${card("Emission", coins(network.emission, "VRAM"), "a window, at most")}
          ${card(
            "Issued to mining",
            coins(network.issued, "VRAM"),
            `${coins(supply.burned, "VRAM")} burned`,
          )}
          ${card(
            "Windows known",
            count(network.windows),
            network.isWhole ? "all that are kept" : "the past is still being read",
          )}
        </dl>
      <h2>Identity</h2>
      <dl class="facts sheet">
        <dt>Ledger</dt>
        <dd>
          <${Hash} value=${network.ledgerId} />
          <${Elsewhere} network=${network} path=${`object/0x${network.ledgerId}`} />
        </dd>
        <dt>Chain</dt>
        <dd>
          <${Hash} value=${network.chainId} />
        </dd>
        <dt>Model</dt>
        <dd>
          <${Hash} value=${network.modelHash} />
        </dd>
        <dt>Data set</dt>
        <dd>
          <${Hash} value=${network.datasetRoot} />
        </dd>
      </dl>
    </div>
  `;
}

/** The phases of the running window, and how long this one lasts yet. */
function Phase({ network }: { network: NetworkAnswer }): VNode {
  const [skew] = useState(() => network.nowMs - Date.now());
  const [now, setNow] = useState(network.nowMs);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() + skew), 250);
    return () => clearInterval(timer);
  }, []);
  const { deadlines: { commit, end, reveal, start }, window } = network.current;
  const [name, from, until] = now < commit
    ? ["Train and commit", start, commit] as const
    : now < reveal
    ? ["Reveal", commit, reveal] as const
    : ["Closed to miners", reveal, end] as const;
  const part = Math.min(1, Math.max(0, (now - from) / (until - from)));
  return html`<div class="sheet row">
    <b>${name}</b> <span>in window ${window}, ${
    now < until ? html`<span data-testid="countdown">${duration(until - now)}</span>` : "0 s"
  } left</span>
    <progress max="1" value=${part} aria-label=${`${name}: part of the phase that is over`}></progress>
  </div>`;
}

function Curves({ data }: { data: CurveAnswer }): VNode {
  const { points } = data;
  const windows = points.map(({ window }) => window);
  if (points.every(({ loss }) => loss === null)) {
    return html`
      <p
        class="sheet quiet">No base has been measured yet: the loss curve begins with the first outcome.</p>
    `;
  }
  const loss = {
    label: "loss of the base",
    values: points.map((point) => point.loss === null ? null : point.loss / 1e6),
    colour: "--accent",
    show: (value: number) => nats(value * 1e6),
  };
  const merged = {
    ...loss,
    label: "after the merge",
    values: points.map((point) => point.merged === null ? null : point.merged / 1e6),
    colour: "--good",
  };
  const paid = points.findLastIndex(({ loss }) => loss !== null);
  const issued = {
    label: "VRAM issued",
    // What has not been paid yet is not nothing.
    values: points.map(({ issued }, at) => at > paid ? null : Number(issued) / 1e9),
    colour: "--warn",
    show: (value: number) => `${value} VRAM`,
  };
  return html`
    <div>
      <h2>Loss of the bases on held-out pages, nats</h2>
      <${Chart} name="Loss of the bases" windows=${windows} curves=${[loss, merged]} />
      <h2>Emission</h2>
      <${Chart} name="VRAM issued" windows=${windows} curves=${[issued]} />
    </div>
  `;
}
