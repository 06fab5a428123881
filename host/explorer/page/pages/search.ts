/**
 * What a search found.
 *
 * @module
 */
import { useData } from "../data.ts";
import { html, useEffect, type VNode } from "../dom.ts";
import { Heading, Show } from "../parts.ts";
import { go } from "../route.ts";
import type { SearchAnswer } from "../types.ts";

/** `/search/[text]`. */
export function SearchPage({ argument }: { argument: string }): VNode {
  const text = decoded(argument);
  const loaded = useData<SearchAnswer>(`/search?q=${encodeURIComponent(text)}`, false);
  const hits = (loaded.data?.hits ?? []).filter(({ path }) => isOurs(path));
  useEffect(() => {
    if (hits.length !== 1) return;
    // Back goes to where the search began.
    history.replaceState(null, "", hits[0]!.path);
    go(hits[0]!.path);
  }, [hits.length]);
  return html`
    <div>
      <${Heading}>${`Search: ${text}`}<//>
        <${Show} of=${loaded}>${() =>
          hits.length === 0
            ? html`<p class="sheet">Nothing here is called that. Search by the number of a window, miner or
        validator, by an address, or by a hash: of a base, a settled window, a judge's key, or a late gradient.</p>`
            : html`<ul>${
              hits.map(({ label, path }) => html`<li><a href=${path}>${label}</a></li>`)
            }</ul>`}<//>
      </div>
  `;
}

/** A page of ours, and nothing that a browser takes for another place. */
function isOurs(path: string): boolean {
  return /^\/[a-z]+(\/[0-9a-z]+)?(#\d+)?$/.test(path);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
