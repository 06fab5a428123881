/**
 * `credentials rotate`: seal the settings' read key pair and publish it as the slot's next epoch.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { ConfigError } from "../../config/mod.ts";
import { rotateReadKeys } from "../../credentials/publish.ts";
import { openEnvelope } from "../open_reader.ts";
import { openStores } from "../open_store.ts";
import { defineCommand, type Entry } from "./command.ts";
import { shownCredentials } from "./credentials.ts";

/** Seal and publish. */
export const rotateCredentials: Entry = defineCommand(
  "rotate",
  message`Seal the read key pair of the settings and publish it, in place of the slot's earlier one: with Seal on Sui, with the DEVELOPMENT envelope on a dev ledger.`,
  ["the pair of VRAMHUB_R2_READ_…, for miner 3", "credentials rotate --uid 3"],
  object({
    uid: optional(option("--uid", integer({ metavar: "UID", min: 0, max: 65_535 }), {
      description: message`The miner's slot; VRAMHUB_MINER_UID without it.`,
    })),
  }),
  async (context, args) => {
    const { config } = context;
    const uid = args.uid ?? config.require("MINER_UID", "publish credentials", "--uid");
    using stores = await openStores(config, context.surroundings.cwd);
    const { readKeys } = stores;
    if (readKeys === null) {
      throw new ConfigError(
        "missing",
        `Cannot publish credentials of ${stores.name}: set VRAMHUB_STORAGE_BACKEND=r2, ` +
          "VRAMHUB_R2_READ_ACCESS_KEY_ID and VRAMHUB_R2_READ_SECRET_ACCESS_KEY",
      );
    }
    using opened = await context.open();
    const envelope = await openEnvelope(config, opened);
    if (envelope === undefined) {
      throw new ConfigError(
        "missing",
        "Cannot seal credentials without key servers: set VRAMHUB_SEAL_KEY_SERVER_IDS",
      );
    }
    const { ledger } = opened;
    const owner = await opened.caller();
    const row = await rotateReadKeys({ ledger, owner, uid, envelope, ...readKeys });
    return shownCredentials(uid, row);
  },
);
