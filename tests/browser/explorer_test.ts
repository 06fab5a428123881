import assert from "node:assert/strict";
import type { APIResponse, Browser, Page, Route } from "playwright-core";
import { SYSTEM_CLOCK } from "../../host/ledger/clock.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import { address } from "../../host/ledger/testing.ts";
import { findChromium, launch, open, type Site, startSite, type Watched } from "./browser.ts";
import { MARKUP, poisoned } from "./poison.ts";

const CHROMIUM = findChromium();
/** Where the screenshots stay; without it they are made and thrown away. */
const SCREENSHOTS = Deno.env.get("VRAMHUB_SCREENSHOTS");
/** All that the first page may transfer. */
const FIRST_PAGE_BYTES = 100_000;
/** How long a network on a busy machine may take for something. */
const PATIENCE = { timeout: 90_000 };
const PAGES = [
  ...["", "windows", "window/1", "miners", "miners/0", "validators", "enclaves"],
  ...["datasets", "training", "join", "docs", "search/1", "window/99999", "nowhere"],
];

let site: Site;
let browser: Browser;
const cleanup = new AsyncDisposableStack();
const asked: string[] = [];

Deno.test.beforeAll(async () => {
  if (CHROMIUM === null) return;
  site = cleanup.use(await startSite(8));
  browser = await launch(CHROMIUM);
  cleanup.defer(() => browser.close());
});

Deno.test.afterAll(() => cleanup.disposeAsync());

/** A test in a page of its own, whose scripts must not fail and which must ask nobody else. */
function inBrowser(
  name: string,
  run: (page: Page, watched: Watched) => Promise<void>,
  options: Parameters<typeof open>[1] = {},
): void {
  Deno.test({
    name: `VRAMScan: ${name} (needs Chromium)`,
    ignore: CHROMIUM === null,
    // The browser and the network outlive each test.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await using watched = await open(browser, options);
      await run(watched.page, watched);
      asked.push(...watched.asked);
      assert.deepEqual(watched.faults, []);
    },
  });
}

const go = (page: Page, path: string) => page.goto(site.url + path);
const proofOf = (page: Page) => page.getByTestId("proof");

/** Press the button and wait for the verdict. */
async function verify(page: Page): Promise<string> {
  await page.getByRole("button", { name: /^Verify/ }).click();
  const verdict = proofOf(page).getByText(/^(Verified|Refused|Not verified)/).first();
  await verdict.waitFor(PATIENCE);
  return await proofOf(page).innerText();
}

/** Wait until a window has a receipt, and show it. */
async function showEnded(page: Page, window: number): Promise<void> {
  for (;;) {
    const answer = await page.request.get(`${site.url}api/v1/windows/${window}/receipt`);
    if (answer.ok()) break;
    await page.waitForTimeout(300);
  }
  await go(page, `window/${window}`);
  await page.getByTestId("status").getByText("closed").waitFor(PATIENCE);
}

/** Put what `make` makes of an answer in its place, as a courier that lies could. */
async function changeAnswers(
  page: Page,
  pattern: string | RegExp,
  make: (answer: APIResponse) => Promise<NonNullable<Parameters<Route["fulfill"]>[0]>>,
): Promise<void> {
  await page.route(pattern, async (route) => {
    try {
      await route.fulfill(await make(await route.fetch()));
    } catch {
      await route.abort().catch(() => {}); // the page went on meanwhile
    }
  });
}

inBrowser("watches a window settle without a reload", async (page) => {
  await go(page, "");
  await page.getByTestId("countdown").waitFor(PATIENCE);
  await page.evaluate("globalThis.sameDocument = true");
  const closed = page.locator("tr", { has: page.getByRole("link", { name: "1", exact: true }) })
    .getByText("closed");
  await closed.first().waitFor(PATIENCE);
  assert.equal(await page.evaluate("globalThis.sameDocument"), true);
  await page.getByText("Loss of the bases on held-out pages").waitFor(PATIENCE);
});

inBrowser("opens a window and verifies its proof in the page", async (page) => {
  await showEnded(page, 1);
  const told = await verify(page);
  assert.match(told, /^Verified in this browser, under a SIMULATED root: all 16 checks hold/);
  assert.match(told, /✓ attestation[^]*✓ pages|✓ pages[^]*✓ attestation/);
  assert.match(told, /Not checked: the losses/);
  await page.getByRole("button", { name: "each" }).first().click();
  await page.getByText(/What each judge measured/).waitFor();
});

inBrowser("refuses a window when a byte of an answer was changed", async (page) => {
  await showEnded(page, 1);
  await changeAnswers(page, "**/api/v1/windows/1", async (answer) => {
    const body = (await answer.text()).replace(
      /("reward":"\d*)(\d)"/,
      (_, head, last) => `${head}${(Number(last) + 1) % 10}"`,
    );
    return { body, contentType: "application/json" };
  });
  await go(page, "window/1");
  const told = await verify(page);
  assert.match(told, /^Refused: 1 of 16 checks do not hold/);
  assert.match(told, /✗ page the page shows "\d+" as gradients\.\d\.reward, the receipt says/);
});

inBrowser("refuses a receipt in which a byte was changed", async (page) => {
  await showEnded(page, 1);
  let at = 0.5;
  await changeAnswers(page, "**/receipt", async (answer) => {
    const body = await answer.body();
    body[Math.floor(body.length * at)]! ^= 1;
    return { body, contentType: "application/cbor" };
  });
  for (at of [0.02, 0.3, 0.5, 0.97]) {
    await go(page, "window/1"); // nothing of the verdict before
    assert.match(await verify(page), /^Refused/, `part ${at}`);
  }
});

inBrowser("finds a window, a miner, an address and a hash", async (page) => {
  await go(page, "");
  const search = async (text: string) => {
    await page.getByRole("searchbox").fill(text);
    await page.getByRole("button", { name: "Search" }).click();
  };
  await search("window 1");
  await page.waitForURL(`${site.url}window/1`);
  await search("miner 2");
  await page.waitForURL(`${site.url}miners/2`);
  const miners = await (await page.request.get(`${site.url}api/v1/miners`)).json();
  const owner: string = miners.miners[0].owner;
  await search(owner);
  await page.waitForURL(`${site.url}wallet/${owner}`);
  await page.getByRole("link", { name: "Miner 0" }).waitFor();
  const { windows } = await (await page.request.get(`${site.url}api/v1/windows?before=2`)).json();
  await search(windows[0].settledDigest);
  await page.waitForURL(`${site.url}window/1`);
  await search("<b>nobody</b>");
  await page.getByText("Nothing here is called that").waitFor();
});

inBrowser("can be used by the keyboard alone", async (page) => {
  await go(page, "");
  await page.getByTestId("countdown").waitFor(PATIENCE);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate("document.activeElement.id"), "main");
  await page.keyboard.press("/");
  await page.keyboard.type("miner 1");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${site.url}miners/1`);
  assert.equal(await page.evaluate("document.activeElement.id"), "main");
  await page.goBack();
  await page.getByRole("link", { name: "Windows", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(`${site.url}windows`);
});

inBrowser("quotes a job and builds the command that posts it", async (page) => {
  await go(page, "training");
  await page.getByLabel("Parameters, millions").fill("70000");
  await page.getByLabel("Tokens, millions").fill("1000000");
  await page.getByTestId("quote").getByText("735 SUI").waitFor(PATIENCE);
  await page.getByLabel("Base: where it lies").fill("it's; here");
  await page.getByLabel("Least fall of the held-out loss").fill("0.25");
  const command = await page.getByTestId("command").innerText();
  assert.match(
    command,
    /job post --model-params-m 70000 --dataset-tokens-m 1000000 --num-epochs 1/,
  );
  assert.ok(command.includes(`--base-ref 'it'\\''s; here'`), command);
  assert.ok(command.includes("--min-improvement 0.25 "), command);
});

inBrowser("shows what a miner or a customer wrote as text, wherever it stands", async (page) => {
  using ledger = DevLedger.open(`${site.dir}/ledger.sqlite`, SYSTEM_CLOCK);
  const customer = address(0xc0);
  ledger.faucet(customer, 5_000_000_000n);
  await ledger.postJob(customer, {
    modelParamsM: 1,
    datasetTokensM: 1,
    numEpochs: 1,
    batchSize: 1,
    sequenceLength: 1,
    precision: "BF16",
    minGpuVramGb: 0,
    datasetId: 0,
    baseHash: new Uint8Array(32),
    baseRef: MARKUP.replaceAll(" ", "/"),
    minImprovement: 3,
  }, ledger.now() + 7_200_000);
  await go(page, "training");
  await page.getByText(MARKUP.replaceAll(" ", "/")).waitFor(PATIENCE);
  // And every other string of every answer, as if no ledger had bounded it.
  await changeAnswers(page, /\/api\/v1\/(?!live|.*receipt$)/, async (answer) => {
    return answer.ok() ? { json: poisoned(await answer.json()) } : { response: answer };
  });
  const shown: string[] = [];
  for (const path of PAGES) {
    await go(page, path);
    await page.waitForTimeout(400);
    const found = await page.evaluate(
      "[globalThis.poisoned ?? false, document.querySelectorAll('main img, main script, main iframe, main svg').length," +
        "[...document.links].filter((a) => !/^https?:$/.test(a.protocol)).length]",
    );
    assert.deepEqual(found, [false, 0, 0], path);
    if ((await page.locator("main").innerText()).includes(MARKUP)) shown.push(path);
  }
  assert.ok(shown.includes("window/1") && shown.length > 5, `shown as text: ${shown}`);
});

for (const scheme of ["light", "dark"] as const) {
  inBrowser(`has no serious fault for axe-core, ${scheme}`, async (page) => {
    const source = await Deno.readTextFile(new URL(import.meta.resolve("axe-core/axe.min.js")));
    for (const path of PAGES) {
      await go(page, path);
      await page.waitForTimeout(600);
      await page.evaluate(source);
      const found = await page.evaluate("axe.run()") as {
        violations: { impact: string; id: string; nodes: { html: string }[] }[];
      };
      const serious = found.violations.filter(({ impact }) => /serious|critical/.test(impact))
        .map(({ id, nodes }) => `${path}: ${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      assert.deepEqual(serious, []);
    }
  }, { colorScheme: scheme });
}

inBrowser(`transfers less than ${FIRST_PAGE_BYTES / 1000} KB for the first page`, async (page) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => bytes += encodedDataLength);
  await go(page, "");
  await page.getByRole("table").waitFor(PATIENCE);
  await page.waitForTimeout(500);
  assert.ok(bytes > 10_000 && bytes < FIRST_PAGE_BYTES, `${bytes} bytes`);
});

const SIGHTS = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["phone", { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true }],
] as const;
for (const [name, options] of SIGHTS) {
  inBrowser(`is readable: ${name}`, async (page) => {
    for (const path of ["", "window/1"]) {
      await go(page, path);
      await page.getByRole("table").first().waitFor(PATIENCE);
      const [wide, seen] = await page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
      ) as [number, number];
      assert.ok(wide <= seen, `${path} is ${wide} wide, the window ${seen}`);
      if (path !== "") await verify(page);
      const file = `${path === "" ? "home" : "window"}-${name}.png`;
      const place = SCREENSHOTS === undefined ? {} : { path: `${SCREENSHOTS}/${file}` };
      const image = await page.screenshot({ fullPage: true, ...place });
      assert.ok(image.length > 10_000, `${file} is empty`);
    }
  }, options);
}

inBrowser("says what stands still when the network is stopped, with the reason", async (page) => {
  await go(page, "");
  await page.getByTestId("countdown").waitFor(PATIENCE);
  await site.stopNetwork();
  await page.getByText(/Nobody revealed a gradient|No judge has reported/).first().waitFor(
    PATIENCE,
  );
});

Deno.test({
  name: "VRAMScan: no request of any page left this machine (needs Chromium)",
  ignore: CHROMIUM === null,
  fn() {
    assert.ok(asked.length > 100);
    const foreign = asked.filter((url) => new URL(url).hostname !== "127.0.0.1");
    assert.deepEqual(foreign, []);
  },
});
