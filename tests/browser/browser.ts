/**
 * A real Chromium and a live test-mode network with its explorer, for the tests of VRAMScan.
 *
 * @module
 */
import { type Browser, chromium, type Page } from "playwright-core";
import { LineReader } from "../../host/courier/line_reader.ts";
import { startCommand } from "../support/command.ts";

/** Where distributions and Playwright put a Chromium; VRAMHUB_CHROMIUM names another. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  chromium.executablePath(),
];

/** The program, or null where this machine has none. */
export function findChromium(): string | null {
  const named = Deno.env.get("VRAMHUB_CHROMIUM");
  const isThere = (path: string) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  };
  return (named === undefined ? PLACES : [named]).find(isThere) ?? null;
}

/** A network that runs, and its explorer. */
export interface Site extends AsyncDisposable {
  /** Of the first page. */
  readonly url: string;
  /** The network's folder. */
  readonly dir: string;
  /** End the network; the explorer stays. */
  readonly stopNetwork: () => Promise<void>;
}

/** Start a network of the smallest model, and its explorer, as their users do. */
export async function startSite(windowSeconds: number): Promise<Site> {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-browser-" });
  const options = ["--test-mode", "--model", "tiny", "--json", "--data-dir", dir];
  const miners = ["--miners", "honest,honest,copier"];
  const network = startCommand(
    "validator",
    [...options, ...miners, "--window-seconds", String(windowSeconds)],
  );
  const events = new LineReader(network.stdout);
  while (!(await line(events, "the network")).includes('"event":"network"'));
  void events.each(() => {});
  const explorer = startCommand("explorer", ["--data-dir", dir, "--port", "0"]);
  const output = new LineReader(explorer.stdout);
  const url = /http:\S+/.exec(await line(output, "the explorer"))![0];
  void output.each(() => {});
  const stderr = [network, explorer].map((child) => child.stderr.cancel());
  let stopped: Promise<void> | undefined;
  const stopNetwork = () => stopped ??= end(network);
  return {
    url,
    dir,
    stopNetwork,
    async [Symbol.asyncDispose]() {
      await Promise.all([end(explorer), stopNetwork(), ...stderr]);
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function line(output: LineReader, who: string): Promise<string> {
  const found = await output.next();
  if (found == null) throw new Error(`Cannot go on: ${who} ended`);
  return found;
}

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGTERM");
  } catch {
    // It ended by itself.
  }
  await child.status;
}

/** A browser that asks nobody for anything by itself. */
export function launch(executablePath: string): Promise<Browser> {
  // Tests may run as root, in a container without user namespaces.
  const args = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"];
  return chromium.launch({ executablePath, args });
}

/** What a page did. */
export interface Watched {
  /** The page. */
  readonly page: Page;
  /** Addresses that it asked for. */
  readonly asked: string[];
  /** Errors of its scripts, refusals of its policy and dialogs. */
  readonly faults: string[];
}

/** A fresh page whose requests and faults are noted. */
export async function open(browser: Browser, options: Parameters<Browser["newContext"]>[0] = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const asked: string[] = [];
  const faults: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    const expected = /Failed to load resource/.test(message.text());
    if (message.type() === "error" && !expected) faults.push(message.text());
  });
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  const watched: Watched = { page, asked, faults };
  return { ...watched, [Symbol.asyncDispose]: () => context.close() };
}
