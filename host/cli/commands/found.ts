/**
 * `ledger found` and `ledger approve-at-genesis`: from a published package to a network.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { presetByName } from "../../../enclave/model/presets.ts";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { QUICKNET } from "../../../enclave/protocol/drand.ts";
import { checkHparams, DEFAULT_HPARAMS, type Hparams } from "../../../enclave/protocol/hparams.ts";
import { ConfigError } from "../../config/mod.ts";
import { genesisBase } from "../../store/bases.ts";
import { MODELS } from "../args_values.ts";
import { readPackage } from "../model/folder.ts";
import type { GenesisCalls, OpenLedger } from "../open_ledger.ts";
import { factLines } from "../present/record.ts";
import { assignments, changed } from "./assignments.ts";
import { defineCommand, type Entry } from "./command.ts";
import { hexBytes } from "./values.ts";

function genesisOf({ genesis, network }: OpenLedger): GenesisCalls {
  if (genesis !== null) return genesis;
  throw new ConfigError(
    "bad_value",
    `Cannot found a network on ${network}: a dev ledger is founded by 'deno task validator --test-mode'`,
  );
}

/** Found a published network. */
export const found: Entry = defineCommand(
  "found",
  message`Found a network on a published package, once, after its data set and founders are registered.`,
  [
    "with the defaults of the hparams",
    "ledger found --network localnet --dataset-id 0 --model tiny",
  ],
  object({
    datasetId: option("--dataset-id", integer({ metavar: "ID", min: 0 }), {
      description: message`Number of the anchored data set; see 'admin dataset register'.`,
    }),
    model: or(
      option("--model", choice(MODELS, { metavar: "MODEL", suggest: "nearest" }), {
        description: message`The model that everybody trains.`,
      }),
      map(
        option("--package", path({ metavar: "DIR", type: "directory" }), {
          description:
            message`A model package that everybody trains; see ${"deno task model"}. Every party has it in its data directory, in model/.`,
        }),
        (dir) => ({ dir }),
      ),
    ),
    firstWindow: withDefault(
      option("--first-window", integer({ metavar: "N", min: 0 }), {
        description: message`Number of the first window.`,
      }),
      0,
    ),
    startMs: withDefault(
      option("--start-ms", integer({ metavar: "MS", min: 0 }), {
        description: message`When it starts, in milliseconds since 1970.`,
      }),
      0,
    ),
    changes: assignments,
  }),
  async (context, { changes, datasetId, firstWindow, model: wanted, startMs }) => {
    const hparams = changed<Hparams>(DEFAULT_HPARAMS, changes, (value) => Number(value));
    checkHparams(hparams, QUICKNET.periodMs);
    using opened = await context.open();
    const genesis = genesisOf(opened);
    const model = typeof wanted === "string"
      ? presetByName(wanted)
      : (await readPackage(wanted.dir)).config;
    context.progress("Hashing the first weights");
    const { name } = model;
    const hash = modelHash(model);
    const base = genesisBase(model, hash);
    await genesis.found(await opened.caller(), {
      datasetId,
      modelHash: hash,
      baseHash: base.hash,
      beacon: QUICKNET,
      epochStartMs: startMs,
      firstWindow,
      hparams,
    });
    return {
      json: { model: name, modelHash: hash, baseHash: base.hash, hparams },
      text: (paint) =>
        factLines([
          ["model", `${name}, ${toHex(hash)}`],
          ["base", toHex(base.hash)],
          ["beacon", `drand quicknet, ${toHex(QUICKNET.chainHash)}`],
        ], paint),
    };
  },
);

/** Approve a founding build. */
export const approveAtGenesis: Entry = defineCommand(
  "approve-at-genesis",
  message`Approve a build at once, which is only possible before the network is founded.`,
  [
    "the first release",
    `ledger approve-at-genesis --name v0.1.0 ${
      [0, 1, 2].map((i) => `--pcr${i} ${String(i + 1).repeat(96)}`).join(" ")
    }`,
  ],
  object({
    name: option("--name", string({ metavar: "NAME" }), {
      description: message`Name of the build.`,
    }),
    pcr0: option("--pcr0", hexBytes(48), { description: message`PCR0.` }),
    pcr1: option("--pcr1", hexBytes(48), { description: message`PCR1.` }),
    pcr2: option("--pcr2", hexBytes(48), { description: message`PCR2.` }),
  }),
  async (context, { name, pcr0, pcr1, pcr2 }) => {
    using opened = await context.open();
    await genesisOf(opened).approve(await opened.caller(), name, [pcr0, pcr1, pcr2]);
    return { json: { approved: name }, text: () => [`${name} is approved`] };
  },
);
