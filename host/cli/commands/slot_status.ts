/**
 * `status --uid` and `status --validator-uid`: one slot.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { ConfigError } from "../../config/mod.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { printable, rating } from "../present/format.ts";
import { coins, factLines, moment } from "../present/record.ts";
import type { Result } from "./command.ts";

/** A miner's slot. */
export async function minerStatus(ledger: Ledger, uid: number): Promise<Result> {
  const [rows, credentials] = await Promise.all([ledger.miners(), ledger.credentials(uid)]);
  const row = rows.find((miner) => miner.uid === uid);
  if (row === undefined) throw noSlot("miner", uid);
  const held = await ledger.balance(row.owner);
  return {
    json: { role: "miner", ...row, ...held, credentials },
    text: (paint) =>
      factLines([
        ["miner", `uid ${uid}, generation ${row.generation}`],
        ["owner", row.owner],
        ["stake", coins(row.stake, "SUI")],
        ["active", `from window ${row.activeFrom} on`],
        ["rating", rating(row.mu / 1e6, row.sigma / 1e6)],
        ["accepted", `${row.accepted} of ${row.measured} measured windows`],
        ["last", row.lastAccepted < 0 ? "never accepted" : `accepted in ${row.lastAccepted}`],
        [
          "bucket",
          credentials === null
            ? "no credentials published"
            : `${printable(credentials.bucket)}, epoch ${credentials.epoch}`,
        ],
        ...heldFacts(held),
      ], paint),
  };
}

/** A validator's slot. */
export async function validatorStatus(ledger: Ledger, uid: number): Promise<Result> {
  const [rows, enclave] = await Promise.all([ledger.validators(), ledger.enclave(uid)]);
  const row = rows.find((validator) => validator.uid === uid);
  if (row === undefined) throw noSlot("validator", uid);
  const held = await ledger.balance(row.owner);
  const simulated = enclave?.simulated ? ", SIMULATED" : "";
  return {
    json: { role: "validator", ...row, ...held, enclave },
    text: (paint) =>
      factLines([
        ["validator", `uid ${uid}, generation ${row.generation}`],
        ["owner", row.owner],
        ["stake", coins(row.stake, "SUI")],
        ["active", `from window ${row.activeFrom} on`],
        ["enclave", enclave === null ? "none is registered" : toHex(enclave.key)],
        ["build", enclave === null ? undefined : `${printable(enclave.measurement)}${simulated}`],
        ["expires", enclave === null ? undefined : moment(enclave.expiresMs)],
        ...heldFacts(held),
      ], paint),
  };
}

function heldFacts(held: Awaited<ReturnType<Ledger["balance"]>>) {
  return [
    ["wallet", `${coins(held.sui, "SUI")}, ${coins(held.vram, "VRAM")}`],
    ["claimable", coins(held.claimable, "VRAM")],
  ] as const;
}

function noSlot(role: string, uid: number): ConfigError {
  return new ConfigError("missing", `Cannot show ${role} ${uid}: nobody holds this slot now`);
}
