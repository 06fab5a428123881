/**
 * VRAMScan's page: frame, navigation, search.
 *
 * @module
 */
import { html, render, useEffect, useRef, useState, type VNode } from "./dom.ts";
import { useData } from "./data.ts";
import { connect } from "./live.ts";
import { Badge } from "./parts.ts";
import { followLinks, go, usePath } from "./route.ts";
import { State } from "./state.ts";
import { DatasetsPage, DocsPage, JoinPage } from "./pages/about.ts";
import { EnclavesPage } from "./pages/enclaves.ts";
import { HomePage } from "./pages/home.ts";
import { MinerPage, MinersPage } from "./pages/miners.ts";
import { SearchPage } from "./pages/search.ts";
import { TrainingPage } from "./pages/training.ts";
import { ValidatorsPage } from "./pages/validators.ts";
import { WalletPage } from "./pages/wallet.ts";
import { WindowPage } from "./pages/window.ts";
import { WindowsPage } from "./pages/windows.ts";
import type { NetworkAnswer } from "./types.ts";

type Page = (props: { network: NetworkAnswer | null; argument: string }) => VNode;

const PAGES: readonly (readonly [path: RegExp, page: Page])[] = [
  [/^\/$/, HomePage],
  [/^\/miners$/, MinersPage],
  [/^\/miners\/(\d+)$/, MinerPage],
  [/^\/validators$/, ValidatorsPage],
  [/^\/windows$/, WindowsPage],
  [/^\/window\/(\d+)$/, WindowPage],
  [/^\/enclaves$/, EnclavesPage],
  [/^\/datasets$/, DatasetsPage],
  [/^\/training$/, TrainingPage],
  [/^\/wallet\/(0x[0-9a-f]{64})$/, WalletPage],
  [/^\/join$/, JoinPage],
  [/^\/docs$/, DocsPage],
  [/^\/search\/(.*)$/, SearchPage],
];

const LINKS = [
  ["/windows", "Windows"],
  ["/miners", "Miners"],
  ["/validators", "Validators"],
  ["/enclaves", "Enclaves"],
  ["/datasets", "Data sets"],
  ["/training", "Training"],
  ["/join", "Join"],
  ["/docs", "Docs"],
] as const;

const NOWHERE: Page = () =>
  html`
    <div>
      <h1>No such page</h1>
      <p>There is nothing here. <a href="/">To the first page</a></p>
    </div>
  `;

function App(): VNode {
  const path = usePath();
  const network = useData<NetworkAnswer>("/network");
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) main.current?.focus();
    first.current = false;
  }, [path]);
  const [, page, argument] = found(path);
  return html`
    <div>
      <a class="skip" href="#main">To the content</a>
      <${Top} path=${path} network=${network.data} />
      <main id="main" tabindex="-1" ref=${main}>
        <${State} network=${network.data} />
        <${page} key=${path} network=${network.data} argument=${argument} />
      </main>
      <footer>
          VRAMScan reads the ledger and changes nothing. <a href="/api/v1/openapi.json">API</a>
        </footer>
    </div>
  `;
}

function found(path: string): readonly [RegExp | null, Page, string] {
  for (const [pattern, page] of PAGES) {
    const match = pattern.exec(path);
    if (match !== null) return [pattern, page, match[1] ?? ""];
  }
  return [null, NOWHERE, ""];
}

function Top({ network, path }: { network: NetworkAnswer | null; path: string }): VNode {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      const inField = event.target instanceof HTMLElement &&
        /^(input|select|textarea)$/i.test(event.target.tagName);
      if (event.key !== "/" || inField || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  const search = (event: Event) => {
    event.preventDefault();
    const text = field.current!.value.trim();
    if (text !== "") go(`/search/${encodeURIComponent(text)}`);
  };
  return html`<header>
    <a class="name" href="/">VRAMScan</a>
    ${network === null ? null : html`<${Badge} name=${network.badge} />`}
    <nav aria-label="Pages">${
    LINKS.map(([href, name]) =>
      html`<a href=${href} aria-current=${
        path.startsWith(href.replace(/s$/, "")) ? "page" : undefined
      }>${name}</a>`
    )
  }</nav>
    <form role="search" onSubmit=${search}>
      <input ref=${field} type="search" maxlength="200" aria-label="Search (press /)"
        placeholder="uid, window, 0x…, hash" />
      <button>Search</button>
      <${Theme} />
    </form>
  </header>`;
}

/** Light, dark, or as the system has it. */
function Theme(): VNode {
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? "auto");
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    dispatchEvent(new Event("vramscan-theme"));
  }, [theme]);
  const next = theme === "auto" ? "light" : theme === "light" ? "dark" : "auto";
  return html`
    <button type="button" onClick=${() => setTheme(next)}
      aria-label=${`Colours: ${theme}. Change to ${next}`}>${theme}</button>
  `;
}

followLinks();
connect();
const place = document.getElementById("app")!;
place.replaceChildren();
render(html`<${App} />`, place);
