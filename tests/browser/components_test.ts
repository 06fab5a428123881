import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { LineReader } from "../../host/courier/line_reader.ts";
import { startCommand } from "../support/command.ts";
import { judgeProcess } from "../support/judge_process.ts";
import { findChromium, launch, open, startSite } from "./browser.ts";

const CHROMIUM = findChromium();
/** A stop shows on the page within so long, with its reason. */
const SHOWN = { timeout: 10_000 };
/** How long a busy machine may take for a return. */
const PATIENCE = { timeout: 60_000 };

/** Wait for words in the banner of every page. */
async function banner(page: Page, words: RegExp, patience = SHOWN): Promise<void> {
  await page.getByTestId("components").getByText(words).first().waitFor(patience);
}

async function noBanner(page: Page): Promise<void> {
  const down = page.getByTestId("components").locator(".bad");
  await down.first().waitFor({ state: "detached", ...PATIENCE });
}

Deno.test({
  name:
    "VRAMScan: says on every page within ten seconds which component stopped, and why (needs Chromium)",
  ignore: CHROMIUM === null || Deno.build.os !== "linux",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using cleanup = new AsyncDisposableStack();
    const site = cleanup.use(await startSite(8));
    const { dir } = site;
    const miner = startCommand("miner", ["--test-mode", "--role", "idle", "--data-dir", dir]);
    const lines = new LineReader(miner.stdout);
    const output: Promise<unknown>[] = [miner.stderr.cancel()];
    cleanup.defer(async () => {
      try {
        miner.kill("SIGKILL");
      } catch {
        // It was killed before.
      }
      await Promise.all([miner.status, ...output]);
    });
    // What stops while a party starts ends its start.
    for (let line = await lines.next(); !line?.includes("Starting window");) {
      assert.ok(line !== undefined, "the miner has ended");
      line = await lines.next();
    }
    output.push(lines.each(() => {}));
    const browser = await launch(CHROMIUM!);
    cleanup.defer(() => browser.close());
    const { faults, page } = cleanup.use(await open(browser));
    await page.goto(`${site.url}miners/3`);
    await page.getByRole("heading", { name: "Miner 3" }).waitFor(PATIENCE);
    await page.goto(site.url);
    await page.getByTestId("countdown").waitFor(PATIENCE);
    await page.evaluate("globalThis.sameDocument = true");
    await noBanner(page);

    await Deno.rename(`${dir}/store`, `${dir}/away`);
    await banner(page, /^store\b.*does not work: unreachable: Cannot use/);
    await Deno.rename(`${dir}/away`, `${dir}/store`);
    await noBanner(page);
    await banner(page, /^store works again\. It did not for \d+ s: unreachable/);

    await Deno.rename(`${dir}/ledger.sqlite`, `${dir}/away`);
    await banner(page, /^ledger\b.*does not work: gone: Its file/);
    await Deno.rename(`${dir}/away`, `${dir}/ledger.sqlite`);
    await noBanner(page);

    const judge = await judgeProcess(dir);
    Deno.kill(judge, "SIGSTOP");
    await banner(page, /^judge 0\b.*does not work: timeout/);
    Deno.kill(judge, "SIGKILL");
    // Its validator may have started another one before the page is told.
    await banner(
      page,
      /^judge 0\b.*(: ended: Its process ended with status 137|works again\. It did not for \d+ s)/,
    );
    await noBanner(page);

    miner.kill("SIGKILL");
    await banner(page, /^miner 3\b.*does not work: silent: No sign of life since/);

    await site.stopNetwork();
    await banner(page, /^validator 0\b.*does not work: stopped/);
    assert.equal(await page.evaluate("globalThis.sameDocument"), true, "without a reload");
    assert.deepEqual(faults, []);
  },
});
