import assert from "node:assert/strict";
import { parseDatasetArgs } from "./args_dataset.ts";

Deno.test("parseDatasetArgs: builds from files and URLs in their order", () => {
  assert.deepEqual(parseDatasetArgs(["build", "a.jsonl", "https://h/b.parquet", "--out", "o"]), {
    action: "build",
    sources: ["a.jsonl", "https://h/b.parquet"],
    from: undefined,
    field: "text",
    model: "nano-gpt",
    pageTokens: undefined,
    out: "o",
    json: false,
  });
});

Deno.test("parseDatasetArgs: verifies and pushes a folder", () => {
  assert.deepEqual(parseDatasetArgs(["verify", "d", "--json"]), {
    action: "verify",
    folder: "d",
    json: true,
  });
  assert.deepEqual(parseDatasetArgs(["push", "d", "--store-dir", "s"]), {
    action: "push",
    backend: undefined,
    folder: "d",
    store: "s",
    json: false,
  });
});

Deno.test("parseDatasetArgs: registers a folder, or its manifest, on a ledger", () => {
  const args = parseDatasetArgs(["register", "d/dataset.json", "--network", "testnet", "--json"]);
  assert.deepEqual(args, {
    action: "register",
    source: "d/dataset.json",
    forJobs: false,
    common: {
      flags: { LEDGER: "sui", NETWORK: "testnet", DATA_DIR: undefined },
      as: undefined,
      json: true,
    },
    json: true,
  });
});
