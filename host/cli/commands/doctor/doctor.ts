/**
 * `doctor`: every trap that operators are known to fall into, one line each, with what to do.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import type { Config } from "../../../config/mod.ts";
import type { OpenLedger } from "../../open_ledger.ts";
import { printable } from "../../present/format.ts";
import type { Paint, StyleName } from "../../present/style.ts";
import { defineCommand, type Entry, type Result } from "../command.ts";
import { ENCLAVE_CHECKS } from "./enclave_checks.ts";
import { examine, type Finding, type Subject, type Verdict } from "./finding.ts";
import { LEDGER_CHECKS } from "./ledger_checks.ts";
import { MACHINE_CHECKS } from "./machine_checks.ts";
import { SETTINGS_CHECKS } from "./settings_checks.ts";
import { STORAGE_CHECKS } from "./storage.ts";

const SUBJECTS = ["miner", "validator", "all"] as const;

/** The command. */
export const doctor: Entry = defineCommand(
  "doctor",
  message`Look for every known trap of a set-up; status 1 where something does not work.`,
  ["a validator before its first start", "doctor --role validator --network testnet"],
  object({
    role: optional(option("--role", choice(SUBJECTS, { metavar: "ROLE", suggest: "nearest" }), {
      description: message`Whose set-up; told by the settings without it.`,
    })),
  }),
  async (context, { role }) => {
    const { clock, config, outside, surroundings } = context;
    let opened: OpenLedger | Error;
    try {
      opened = await context.open();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      opened = error;
    }
    const storage = await outside.openStorage(config);
    try {
      return shown(
        await examine(
          [
            ...SETTINGS_CHECKS,
            ...LEDGER_CHECKS,
            ...ENCLAVE_CHECKS,
            ...STORAGE_CHECKS,
            ...MACHINE_CHECKS,
          ],
          {
            clock,
            config,
            surroundings,
            opened,
            subjects: subjectsOf(role, config),
            machine: outside.machine,
            openJudge: outside.openJudge,
            storage,
          },
        ),
      );
    } finally {
      if (!(opened instanceof Error)) opened[Symbol.dispose]();
      if (typeof storage !== "string" && !(storage instanceof Error)) storage.close();
    }
  },
);

function subjectsOf(role: typeof SUBJECTS[number] | undefined, config: Config): Set<Subject> {
  if (role === "all") return new Set(["miner", "validator"]);
  if (role !== undefined) return new Set([role]);
  const found = new Set<Subject>();
  if (config.has("MINER_UID") || config.has("SIDECAR_URL")) found.add("miner");
  if (config.has("VALIDATOR_UID") || config.has("ENCLAVE_URL")) found.add("validator");
  return found;
}

const STYLES: Record<Verdict, StyleName> = { ok: "good", warn: "warn", fail: "bad", skip: "dim" };
const MARKS: Record<Verdict, string> = { ok: "ok", warn: "warn", fail: "FAIL", skip: "skip" };

function shown(findings: readonly Finding[]): Result {
  const count = (verdict: Verdict) => findings.filter((one) => one.verdict === verdict).length;
  const failed = count("fail");
  const width = Math.max(...findings.map(({ name }) => name.length));
  return {
    json: { ok: failed === 0, findings },
    status: failed === 0 ? 0 : 1,
    text: (paint) => [
      ...findings.map((finding) => lineOf(finding, width, paint)),
      "",
      `${count("ok")} ok, ${count("warn")} to watch, ${failed} to mend, ${count("skip")} skipped`,
    ],
  };
}

function lineOf({ detail, name, remedy, verdict }: Finding, width: number, paint: Paint): string {
  const mark = paint(STYLES[verdict], MARKS[verdict].padEnd(4));
  const what = remedy === undefined ? detail : `${detail} → ${remedy}`;
  return `${mark}  ${name.padEnd(width)}  ${printable(what)}`;
}
