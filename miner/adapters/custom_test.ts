import { deepEqual, equal, rejects } from "node:assert/strict";
import { pathToFileURL } from "node:url";
import type { AdapterContext } from "./adapter.ts";
import { conformance, patternedBatches } from "./conformance.ts";
import { CustomAdapter, CustomAdapterError } from "./custom.ts";

const context: AdapterContext = {
  batches: patternedBatches(65, 4),
  settings: { innerSteps: 1, lr: 1e-3, percent: 1 },
};

Deno.test("CustomAdapter: the worked example passes the suite in its worker", async () => {
  const url = new URL("./example.ts", import.meta.url);
  await using adapter = await CustomAdapter.start(context, url);
  equal(adapter.name, "bigram");
  const found = await Array.fromAsync(conformance(adapter));
  deepEqual(found.filter(({ fault }) => fault !== undefined), []);
});

/** Start a module of this text, beside a file that it was given no right to read. */
async function withModule(
  text: string,
  body: (start: (timeoutMs?: number) => Promise<CustomAdapter>, dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/secret`, "secret");
    await Deno.writeTextFile(`${dir}/mine.js`, text);
    const url = pathToFileURL(`${dir}/mine.js`);
    await body((timeoutMs = 5_000) => CustomAdapter.start(context, url as URL, { timeoutMs }), dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const FORBIDDEN: readonly (readonly [string, string])[] = [
  ["a file beside it", "Deno.readTextFileSync(new URL('./secret', import.meta.url))"],
  ["the environment", "Deno.env.get('HOME')"],
  ["the network", "await fetch('http://127.0.0.1:8123')"],
  ["a process", "new Deno.Command(Deno.execPath()).outputSync()"],
  ["a file to write", "Deno.writeTextFileSync(new URL('./out', import.meta.url), '')"],
];

for (const [what, code] of FORBIDDEN) {
  Deno.test(`CustomAdapter: a module does not reach ${what}`, () =>
    withModule(`export default async () => { ${code}; return { name: "x" }; }`, async (start) => {
      await rejects(start(), (error) => {
        if (!(error instanceof CustomAdapterError)) throw error;
        equal(/^The trainer mine.js: Requires \w+ access/.test(error.message), true, error.message);
        return true;
      });
    }));
}

Deno.test("CustomAdapter: says what is wrong with a module", async () => {
  const cases = [
    ["export const x = 1;", /default export is no function/],
    ["syntax error", /mine.js/],
    ["export default () => ({});", /has no name/],
    ["export default () => { throw new Error('no\\nway'); };", /^The trainer mine.js: no$/],
  ] as const;
  for (const [text, line] of cases) {
    await withModule(
      text,
      (start) => rejects(start(), { name: "CustomAdapterError", message: line }),
    );
  }
});

Deno.test("CustomAdapter: takes nothing but a gradient for a gradient, and waits for no one for ever", () =>
  withModule(
    `export default () => ({
      name: "x",
      trainStep: () => ({ gradient: [1], loss: 1 }),
      forwardLoss: () => NaN,
      saveCheckpoint: () => "text",
      compressGradient: () => null,
      loadCheckpoint() { for (;;); },
    });`,
    async (start) => {
      await using adapter = await start(1_000);
      const batch = await adapter.getAssignedBatch(1, 2);
      await rejects(adapter.trainStep(batch), /no gradient with a finite loss/);
      await rejects(adapter.forwardLoss(batch), /no finite number/);
      await rejects(adapter.saveCheckpoint(), /no byte array/);
      await rejects(adapter.compressGradient(new Float32Array(1)), /no sparse update/);
      await rejects(
        adapter.loadCheckpoint(new Uint8Array(1)),
        /did not finish loadCheckpoint within 1 s/,
      );
      await rejects(adapter.forwardLoss(batch), /did not finish loadCheckpoint/);
    },
  ));

Deno.test("CustomAdapter: a worker that has ended is started again by the next window's base", () =>
  withModule(
    `export default () => ({
      name: "x",
      loadCheckpoint() {},
      trainStep({ window }) {
        if (window === 1) for (;;);
        return { gradient: Float32Array.of(1), loss: 1 };
      },
    });`,
    async (start) => {
      await using adapter = await start(1_000);
      const step = async (window: number) => {
        await adapter.loadCheckpoint(new Uint8Array(0));
        return await adapter.trainStep({ uid: 0, window, pages: [] });
      };
      await rejects(step(1), /did not finish trainStep within 1 s/);
      await rejects(
        adapter.trainStep({ uid: 0, window: 2, pages: [] }),
        /did not finish trainStep/,
      );
      deepEqual([...(await step(2)).gradient], [1]);
      await adapter[Symbol.asyncDispose]();
      await rejects(step(3), /did not finish|was closed/);
    },
  ));
