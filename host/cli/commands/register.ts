/**
 * `register-miner`, `register-validator`, `register-enclave`, `unregister`, `withdraw`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { DEFAULT_HPARAMS } from "../../../enclave/protocol/hparams.ts";
import { registerJudge } from "../../attester.ts";
import { ConfigError } from "../../config/mod.ts";
import type { Ledger, Role } from "../../ledger/ledger.ts";
import { readInput } from "../audit/input.ts";
import { coins, factLines } from "../present/record.ts";
import { type Context, defineCommand, type Entry, type Result } from "./command.ts";
import { amount } from "./values.ts";

const uid = integer({ metavar: "UID", min: 0, max: 65_535 });
/** Largest document that a ledger takes. */
const MAX_DOCUMENT_BYTES = 16_384;

const bucket = optional(option("--bucket", string({ metavar: "NAME" }), {
  description: message`Name of the bucket for gradients; published with the sealed read key.`,
}));
const accountId = optional(option("--account-id", string({ metavar: "ID" }), {
  description: message`Account of the bucket; published with the sealed read key.`,
}));

function registration(role: Role): Entry {
  return defineCommand(
    `register-${role}`,
    role === "miner"
      ? message`Take a miner's slot with a stake, from the next window on.`
      : message`Take a validator's slot with a stake and, where there is one, the bond.`,
    role === "miner"
      ? ["with the least stake", "register-miner --bucket gradients --account-id 0123abcd"]
      : ["with twice the least stake", "register-validator --stake 20sui"],
    object({
      stake: optional(option("--stake", amount("sui"), {
        description:
          message`In MIST, or as in 1.5sui; the least that the hparams ask for without it.`,
      })),
      bucket,
      accountId,
    }),
    (context, args) => register(context, role, args),
  );
}

/** See {@link registration}. */
export const registerMiner: Entry = registration("miner");
/** See {@link registration}. */
export const registerValidator: Entry = registration("validator");

async function register(
  context: Context,
  role: Role,
  args: { stake: bigint | undefined; bucket: string | undefined; accountId: string | undefined },
): Promise<Result> {
  using opened = await context.open();
  const { ledger } = opened;
  const owner = await opened.caller();
  const stake = args.stake ?? await leastStake(ledger, role);
  context.progress(`Registering ${owner} as ${role} with ${coins(stake, "SUI")}`);
  const uid = role === "miner"
    ? await ledger.registerMiner(owner, stake)
    : await ledger.registerValidator(owner, stake);
  const activeFrom = await ledger.currentWindow() + 1;
  const bucket = args.bucket ?? context.config.get("R2_BUCKET_NAME");
  const next = role === "validator"
    ? `deno task vramhub register-enclave --validator-uid ${uid} --enclave-url vsock:16:3000`
    : bucket === undefined
    ? `set VRAMHUB_MINER_UID=${uid} and start the miner`
    : `deno task vramhub credentials set --uid ${uid} --bucket ${bucket} …, once the slot is active`;
  return {
    json: { role, uid, owner, stake, activeFrom, bucket, accountId: args.accountId },
    text: (paint) =>
      factLines([
        [role, `uid ${uid}`],
        ["owner", owner],
        ["stake", coins(stake, "SUI")],
        ["active", `from window ${activeFrom} on`],
        ["next", next],
      ], paint),
  };
}

/** Before the founding nobody has set another one than the contracts themselves. */
async function leastStake(ledger: Ledger, role: Role): Promise<bigint> {
  const founded = (await ledger.epochs()).length > 0;
  if (!founded) return BigInt(DEFAULT_HPARAMS[`min_${role}_stake`]);
  const { hparams } = await ledger.window(await ledger.currentWindow());
  return BigInt(role === "miner" ? hparams.min_miner_stake : hparams.min_validator_stake);
}

/** Register the key inside an enclave's document. */
export const registerEnclave: Entry = defineCommand(
  "register-enclave",
  message`Attest a judge's key and register it for a validator; the document itself says for whom it is.`,
  [
    "the enclave of this instance",
    "register-enclave --enclave-url vsock:16:3000 --validator-uid 0",
  ],
  object({
    enclaveUrl: optional(option("--enclave-url", string({ metavar: "ADDRESS" }), {
      description:
        message`vsock:CID:PORT, unix:PATH, guest:PATH:PORT or http://HOST:PORT; VRAMHUB_ENCLAVE_URL without it.`,
    })),
    validatorUid: optional(option("--validator-uid", uid, {
      description: message`The validator's slot; VRAMHUB_VALIDATOR_UID without it.`,
    })),
    document: optional(option("--document", path({ metavar: "FILE" }), {
      description: message`A document that was saved, in place of a running enclave's.`,
    })),
  }),
  async (context, args) => {
    const { config } = context;
    const uid = args.validatorUid ?? config.require("VALIDATOR_UID", "register", "--validator-uid");
    using opened = await context.open();
    const { ledger } = opened;
    const owner = await opened.caller();
    if (args.document !== undefined) {
      const document = await readInput(args.document, { maxBytes: MAX_DOCUMENT_BYTES });
      await ledger.registerEnclave(owner, uid, document);
    } else {
      const seat = (await ledger.validators()).find((row) => row.uid === uid);
      if (seat === undefined) {
        throw new ConfigError(
          "missing",
          `Cannot register an enclave: there is no validator ${uid}`,
        );
      }
      const address = args.enclaveUrl ?? config.require("ENCLAVE_URL", "attest", "--enclave-url");
      context.progress(`Attesting the judge at ${address}`);
      const judge = await context.outside.openJudge(address);
      try {
        await registerJudge(judge, ledger, seat.owner, uid);
      } finally {
        await judge.close();
      }
    }
    const row = (await ledger.enclave(uid))!;
    return {
      json: { ...row },
      text: (paint) =>
        factLines([
          ["validator", `uid ${uid}`],
          ["key", toHex(row.key)],
          ["measurement", row.simulated ? `${row.measurement}, SIMULATED` : row.measurement],
          ["expires", new Date(row.expiresMs).toISOString()],
        ], paint),
    };
  },
);

const role = choice(["miner", "validator"], { metavar: "ROLE", suggest: "nearest" });

/** Leave a slot. */
export const unregister: Entry = defineCommand(
  "unregister",
  message`Leave a slot from the next window on; its stake unbonds and can then be withdrawn.`,
  ["leave miner 3", "unregister miner 3"],
  object({ role: argument(role), uid: argument(uid) }),
  async (context, { role, uid }) => {
    using opened = await context.open();
    await opened.ledger.unregister(await opened.caller(), role, uid);
    return {
      json: { role, uid },
      text: () => [`${role} ${uid} leaves at the next window; then: deno task vramhub withdraw`],
    };
  },
);

/** Take unbonded stake back. */
export const withdraw: Entry = defineCommand(
  "withdraw",
  message`Take back the unbonded stake that is due.`,
  ["what is due of both roles", "withdraw"],
  object({ role: optional(argument(role)) }),
  async (context, { role }) => {
    using opened = await context.open();
    const owner = await opened.caller();
    const amount = await opened.ledger.withdraw(owner, role);
    return {
      json: { owner, amount },
      text: () => [`${coins(amount, "SUI")} withdrawn to ${owner}`],
    };
  },
);
