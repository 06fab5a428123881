/**
 * `credentials set` and `credentials show`: the read key of a miner's bucket, sealed so that validators alone open it.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import type { CredentialsRow } from "../../ledger/governance.ts";
import { readInput } from "../audit/input.ts";
import { printable } from "../present/format.ts";
import { factLines } from "../present/record.ts";
import { defineCommand, type Entry, type Result } from "./command.ts";
import { address } from "./values.ts";

/** Largest sealed key that a ledger takes. */
const MAX_SEALED_BYTES = 4_096;
const uid = integer({ metavar: "UID", min: 0, max: 65_535 });

/** Publish a sealed read key. */
export const setCredentials: Entry = defineCommand(
  "set",
  message`Publish a bucket and its sealed read key, in place of the slot's earlier ones.`,
  [
    "sealed by two key servers",
    "credentials set --bucket gradients --account-id 0123abcd --sealed read-key.seal " +
    `--key-server 0x${"1".repeat(64)} --key-server 0x${"2".repeat(64)}`,
  ],
  object({
    uid: optional(option("--uid", uid, {
      description: message`The miner's slot; VRAMHUB_MINER_UID without it.`,
    })),
    bucket: optional(option("--bucket", string({ metavar: "NAME" }), {
      description: message`Name of the bucket; VRAMHUB_R2_BUCKET_NAME without it.`,
    })),
    account: optional(option("--account-id", string({ metavar: "ID" }), {
      description: message`Account of the bucket; VRAMHUB_R2_ACCOUNT_ID without it.`,
    })),
    sealed: option("--sealed", path({ metavar: "FILE" }), {
      description: message`The sealed read key, at most 4 KiB. Never the key itself.`,
    }),
    keyServers: multiple(option("--key-server", address("ID"), {
      description:
        message`A key server; may be given again. VRAMHUB_SEAL_KEY_SERVER_IDS without it.`,
    })),
    epoch: optional(option("--epoch", integer({ metavar: "N", min: 1 }), {
      description:
        message`The epoch that they were sealed for; it must be the next one, which is taken without it.`,
    })),
    threshold: optional(option("--threshold", integer({ metavar: "N", min: 1, max: 32 }), {
      description: message`How many key servers must answer; VRAMHUB_SEAL_THRESHOLD without it.`,
    })),
  }),
  async (context, args) => {
    const { config } = context;
    const uid = args.uid ?? config.require("MINER_UID", "publish credentials", "--uid");
    const keyServers = args.keyServers.length > 0
      ? args.keyServers
      : config.require("SEAL_KEY_SERVER_IDS", "publish credentials", "--key-server");
    using opened = await context.open();
    const { ledger } = opened;
    const credentials = {
      epoch: args.epoch ?? await ledger.nextCredentialsEpoch(uid),
      bucket: args.bucket ?? config.require("R2_BUCKET_NAME", "publish credentials", "--bucket"),
      account: args.account ?? config.require("R2_ACCOUNT_ID", "publish them", "--account-id"),
      sealed: await readInput(args.sealed, { maxBytes: MAX_SEALED_BYTES }),
      keyServers,
      threshold: args.threshold ?? config.get("SEAL_THRESHOLD")!,
    };
    await ledger.setCredentials(await opened.caller(), uid, credentials);
    return shownCredentials(uid, await ledger.credentials(uid));
  },
);

/** Show a slot's credentials. */
export const showCredentials: Entry = defineCommand(
  "show",
  message`Show a miner's published credentials.`,
  ["of miner 3", "credentials show 3"],
  object({ uid: argument(uid) }),
  async (context, { uid }) => {
    using opened = await context.open();
    return shownCredentials(uid, await opened.ledger.credentials(uid));
  },
);

/** Credentials as a result: what of them is on the ledger. */
export function shownCredentials(uid: number, row: CredentialsRow | null): Result {
  return {
    json: { uid, credentials: row },
    text: (paint) =>
      row === null ? [`miner ${uid} has no credentials on the ledger`] : factLines([
        ["miner", `uid ${uid}`],
        ["bucket", printable(row.bucket)],
        ["account", printable(row.account)],
        ["epoch", String(row.epoch)],
        ["sealed", `${row.sealed.length} bytes, ${row.threshold} of ${row.keyServers.length} keys`],
      ], paint),
  };
}
