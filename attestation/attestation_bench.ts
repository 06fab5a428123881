/**
 * `verify` per document. Warm: the thousandth of a process. Cold: the first of a new realm, which loads and
 * compiles the verifier before it can start, as a browser's page or a short-lived command does.
 */
import type { Bytes } from "../enclave/protocol/bytes.ts";
import { parseDocument, type Policy, verify } from "./mod.ts";
import { createTestChain, payloadFields, signDocument } from "./test_pki.ts";

const FOLDER = new URL("../../shared/vectors/attestation/", import.meta.url);
const MODULE = new URL("./mod.ts", import.meta.url).href;

async function simulated(): Promise<[string, Bytes, Policy["root"]]> {
  const now = Date.UTC(2026, 0, 1);
  const { leaf, cabundle } = await createTestChain(now);
  const document = await signDocument(payloadFields(leaf, cabundle, now), leaf.keys.privateKey);
  return ["simulated", document, { kind: "simulated", der: cabundle[0].certificate }];
}

/** The genuine documents, where they lie beside the checkout. */
function genuine(): [string, Bytes, Policy["root"]][] {
  try {
    return [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
      .filter((name) => /^aws-.*\.bin$/.test(name)).sort()
      .map((name) => [name, Deno.readFileSync(new URL(name, FOLDER)), { kind: "aws" }]);
  } catch {
    return [];
  }
}

for (const [name, document, root] of [await simulated(), ...genuine()]) {
  const { pcrs } = parseDocument(document);
  const policy: Policy = {
    root,
    time: { kind: "archived" },
    measurements: [{ name, pcrs }],
    debug: "allow-by-name",
  };
  Deno.bench(`verify, warm: ${name}`, { group: "warm" }, async () => {
    await verify(document, policy);
  });
  Deno.bench(`verify, cold: ${name}`, { group: "cold", n: 10, warmup: 0 }, async (bench) => {
    const source = `import { verify } from ${JSON.stringify(MODULE)};
      onmessage = async ({ data: [document, policy] }) => {
        await verify(document, policy);
        postMessage(null);
      };
      postMessage(null);`;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    bench.start();
    const worker = new Worker(url, { type: "module" });
    await next(worker); // it has loaded
    worker.postMessage([document, policy]);
    await next(worker); // it has verified
    bench.end();
    worker.terminate();
    URL.revokeObjectURL(url);
  });
}

function next(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message));
  });
}
