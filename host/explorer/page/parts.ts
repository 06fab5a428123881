/**
 * The parts that pages are made of.
 *
 * @module
 */
import { type Children, html, useState, type VNode } from "./dom.ts";
import type { Loaded } from "./data.ts";
import { NONE, short } from "./format.ts";
import type { NetworkAnswer } from "./types.ts";

/** A page's badge. */
export function Badge({ name }: { name: string | null }): VNode {
  const kind = name === "NITRO ENCLAVE" ? "good" : name === null ? "bad" : "warn";
  return html`<span class=${`badge ${kind}`}>${name ?? "NO KEY"}</span>`;
}

/** A hash or an address: shortened, whole on demand, and to be copied. */
export function Hash({ value, href }: { value: string | null; href?: string }): VNode {
  const [copied, setCopied] = useState(false);
  if (value === null) return html`<span>${NONE}</span>`;
  const text = html`<code title=${value}>${short(value)}</code>`;
  const copy = async () => {
    await navigator.clipboard?.writeText(value).catch(() => {});
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return html`<span>
    ${href === undefined ? text : html`<a href=${href}>${text}</a>`}
    ${" "}<button class="plain" type="button" onClick=${copy} aria-label=${`Copy ${short(value)}`}>
      ${copied ? "copied" : "copy"}
    </button>
  </span>`;
}

/** The page of an address. */
export function Wallet({ address }: { address: string }): VNode {
  return html`<${Hash} value=${address} href=${`/wallet/${address}`} />`;
}

/** A link to a page of the network's block explorer, where it has one: only a page of the web, whatever a profile says. */
export function Elsewhere(
  { network, path }: { network: NetworkAnswer | null; path: string },
): VNode | null {
  const root = network?.explorerUrl ?? "";
  if (!/^https?:\/\//.test(root)) return null;
  return html`
    <a href=${`${root.replace(/\/$/, "")}/${path}`} target="_blank"
      rel="noreferrer noopener">on the Sui explorer</a>
  `;
}

/** A column: its heading, its cell, and whether it holds numbers. */
export interface Column<T> {
  /** Heading. */
  readonly head: string;
  /** What a row has there. */
  readonly cell: (row: T) => Children;
  /** Aligned right. */
  readonly num?: boolean;
  /** Free text, which may be long. */
  readonly wrap?: boolean;
}

/** A table, or a word where it has no row. */
export function Table<T>(props: {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  empty: string;
  name: (row: T) => string | number;
}): VNode {
  const { caption, columns, empty, name, rows } = props;
  if (rows.length === 0) return html`<p class="sheet quiet">${empty}</p>`;
  const style = ({ num, wrap }: Column<T>) => num ? "num" : wrap ? "wrap" : "";
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <caption>${caption}</caption>
        <thead>
          <tr>${columns.map((column) =>
            html`<th scope="col" class=${style(column)}>${column.head}</th>`
          )}</tr>
        </thead>
        <tbody>${rows.map((row) =>
          html`<tr key=${name(row)} id=${String(name(row))}>${
            columns.map((column) => html`<td class=${style(column)}>${column.cell(row)}</td>`)
          }</tr>`
        )}</tbody>
      </table>
    </div>
  `;
}

/** Pairs of a name and a value. */
export function Facts({ rows }: { rows: readonly (readonly [string, Children])[] }): VNode {
  return html`<dl class="facts sheet">${
    rows.map(([name, value]) =>
      html`
        <dt>${name}</dt>
        <dd>${value}</dd>
      `
    )
  }</dl>`;
}

/** Shows what was read, that it is being read, or why it cannot be. */
export function Show<T>(props: { of: Loaded<T>; children: (data: T) => Children }): VNode {
  const { children, of: { data, error } } = props;
  if (data === null) {
    if (error === null) return html`<p class="quiet" role="status">Loading …</p>`;
    const title = error.status === 404 ? "There is no such thing" : "This cannot be shown";
    return html`<div class="notice bad" role="alert"><b>${title}.</b> ${error.message}</div>`;
  }
  return html`<div>
    ${
    error === null
      ? null
      : html`<p class="notice bad" role="alert">What stands here is older: ${error.message}</p>`
  }
    ${children(data)}
  </div>`;
}

/** A settled verdict in its colour. */
export function Verdict({ name }: { name: string | null }): VNode {
  const quiet = ["not_better", "not_sampled", "unavailable"];
  const kind = name === "accepted" || name === "ok"
    ? "good"
    : name === null || quiet.includes(name)
    ? "quiet"
    : "bad";
  return html`<span class=${kind}>${name?.replaceAll("_", " ") ?? "waiting"}</span>`;
}

/** A page's heading, which is also its title. */
export function Heading({ children }: { children: string }): VNode {
  document.title = `${children} · VRAMScan`;
  return html`<h1>${children}</h1>`;
}
