import assert from "node:assert/strict";
import { bytes32, FAST, minerOf, TestNetwork } from "../../host/ledger/testing.ts";
import { collectReceipt, encodeReceipt } from "../../host/receipt/mod.ts";
import { Pages } from "../../host/store/pages.ts";
import { read, ROOT } from "../house/sources.ts";

const MEMBERS = ["attestation", "enclave", "host", "miner", "nitro"];
const PROGRAMS = ["read_network.ts", "trainer.ts", "verify.ts"];
const MODEL = { name: "tiny", vocab: 256, layers: 2, dims: 64, heads: 2, context: 32, batch: 4 };

/** What an outsider's import map has: the members' exports, and the packages that they need. */
function importMap(): { imports: Record<string, string> } {
  const { imports } = JSON.parse(read("deno.json")) as { imports: Record<string, string> };
  const exported = MEMBERS.flatMap((member) => {
    const { exports, name } = JSON.parse(read(`${member}/deno.json`));
    return Object.entries(exports as Record<string, string>).map(([key, file]) => [
      `${name}${key.slice(1)}`,
      new URL(`${member}/${file}`, ROOT).href,
    ]);
  });
  // A plain import map has subpaths of a package only by an entry of their own.
  const subpaths = Object.entries(imports).map(([name, npm]) => [
    `${name}/`,
    `${npm.replace("npm:", "npm:/")}/`,
  ]);
  return {
    imports: { ...imports, ...Object.fromEntries(subpaths), ...Object.fromEntries(exported) },
  };
}

let dir: string;

/** Run a copied program, outside of the tree. */
async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--check", "--no-config", "--no-lock", "--cached-only"],
      ...["--node-modules-dir=none", `--import-map=${dir}/imports.json`, `${dir}/${program}`],
      ...args,
    ],
    cwd: dir,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, text(stderr));
  return text(stdout);
}

Deno.test.beforeAll(async () => {
  dir = await Deno.makeTempDir({ prefix: "vramhub-example-" });
  for (const program of PROGRAMS) {
    await Deno.copyFile(new URL(program, import.meta.url), `${dir}/${program}`);
  }
  await Deno.writeTextFile(`${dir}/imports.json`, JSON.stringify(importMap()));
  using network = await TestNetwork.found({
    path: `${dir}/ledger.sqlite`,
    hparams: { ...FAST, randomness_kind: 1 },
  });
  await network.whole(0, [0, 1]);
  const { beacon: chain } = await network.ledger.info();
  const receipt = await collectReceipt({
    ledger: network.ledger,
    pages: Pages.fromTokens(new Uint32Array(3_300), 33, bytes32("tokenizer")),
    beacon: { chain, signature: () => assert.fail("nobody asks for a round") },
    model: MODEL,
    manifest: () => undefined,
  }, 0);
  await Deno.writeFile(`${dir}/receipt.cbor`, encodeReceipt(receipt));
});

Deno.test.afterAll(() => Deno.remove(dir, { recursive: true }));

Deno.test("example: programs import nothing but what the members export", () => {
  const { imports } = importMap();
  for (const program of PROGRAMS) {
    const found = [...read(`tests/example/${program}`).matchAll(/ from "([^"]+)"/g)];
    assert.ok(found.length > 0);
    for (const [, specifier] of found) {
      assert.match(specifier!, /^@vramhub\//);
      assert.ok(Object.hasOwn(imports, specifier!), specifier);
    }
  }
});

Deno.test("exports: every file is there", () => {
  const files = Object.entries(importMap().imports).filter(([name]) =>
    name.startsWith("@vramhub/")
  );
  assert.ok(files.length > 20);
  for (const [name, url] of files) assert.ok(Deno.statSync(new URL(url)).isFile, name);
});

Deno.test("example, read the network: prints its miners and closed windows", async () => {
  const out = await run("read_network.ts", `${dir}/ledger.sqlite`);
  assert.match(out, /^ledger [0-9a-f]{64} trains tiny$/m);
  assert.match(out, /^miner 0 accepted=1 claimable=0$/m);
  assert.ok(minerOf(0).length === 66);
});

Deno.test("example, verify: a receipt's signatures and documents, under the root that is named", async () => {
  // The tests' network makes losses and ratings up: the checks that compute those again do not hold.
  const out = await run("verify.ts", `${dir}/receipt.cbor`, "simulated");
  for (const name of ["reveals", "pages", "attestation", "reports", "settlement"]) {
    assert.match(out, new RegExp(`^ok ${name}: `, "m"));
  }
  assert.match(out, /^document as the document says, root simulated$/m);
  const unnamed = await run("verify.ts", `${dir}/receipt.cbor`);
  assert.match(unnamed, /^FAIL attestation: /m);
  assert.match(unnamed, /^document refused: untrusted_root$/m);
});

Deno.test("example, write a trainer: its gradient goes through the project's own compression and codec", async () => {
  const out = await run("trainer.ts");
  assert.match(out, /^decay: \d+ of \d+ entries in \d+ bytes$/m);
});
