/**
 * `verify` per document. Warm: the median of many in one process. Cold: the first of a new realm, which loads
 * and compiles the verifier before it can start, as a browser's page or a short-lived command does.
 *
 * @module
 */
import { parseDocument, type Policy, verify } from "../../../attestation/mod.ts";
import { createTestChain, payloadFields, signDocument } from "../../../attestation/test_pki.ts";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { type Figure, medianMs, ms } from "../figures.ts";

/** Genuine documents, where they lie beside the checkout. */
const FOLDER = new URL("../../../../shared/vectors/attestation/", import.meta.url);
const VERIFIER = new URL("../../../attestation/mod.ts", import.meta.url).href;
/** What the realm of a cold measurement does. */
const REALM = `import { verify } from ${JSON.stringify(VERIFIER)};
onmessage = async ({ data: [document, policy] }) => {
  await verify(document, policy);
  postMessage(null);
};
postMessage(null);`;

type Named = readonly [name: string, document: Bytes, root: Policy["root"]];

async function simulated(): Promise<Named> {
  const now = Date.UTC(2026, 0, 1);
  const { leaf, cabundle } = await createTestChain(now);
  const document = await signDocument(payloadFields(leaf, cabundle, now), leaf.keys.privateKey);
  return ["a document of the test root", document, {
    kind: "simulated",
    der: cabundle[0].certificate,
  }];
}

/** The first genuine document of a production enclave, if any lies there. */
function genuine(): Named[] {
  try {
    const name = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
      .filter((name) => /^aws-.*\.bin$/.test(name)).sort()[0];
    if (name === undefined) return [];
    return [["a genuine document", Deno.readFileSync(new URL(name, FOLDER)), { kind: "aws" }]];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function next(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message));
  });
}

async function cold(document: Bytes, policy: Policy): Promise<void> {
  const url = URL.createObjectURL(new Blob([REALM], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  try {
    await next(worker); // it has loaded
    worker.postMessage([document, policy]);
    await next(worker); // it has verified
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
}

/** The figures. */
export async function* attestation(): AsyncGenerator<Figure> {
  for (const [name, document, root] of [await simulated(), ...genuine()]) {
    const { pcrs } = parseDocument(document);
    const policy: Policy = {
      root,
      time: { kind: "archived" },
      measurements: [{ name, pcrs }],
      debug: "allow-by-name",
    };
    const warm = await medianMs(() => verify(document, policy), { runs: 101, warmup: 50 });
    yield ms(`verify ${name}, warm`, warm);
    const first = await medianMs(() => cold(document, policy), { runs: 11, warmup: 1 });
    yield ms(`verify ${name}, cold`, first);
  }
}
