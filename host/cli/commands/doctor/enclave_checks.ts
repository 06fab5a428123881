/**
 * Checks of the judge: reachable, its key registered and unexpired, its build approved.
 *
 * @module
 */
import { equal, toHex } from "../../../../enclave/protocol/bytes.ts";
import type { EnclaveRow } from "../../../ledger/ledger.ts";
import { moment } from "../../present/record.ts";
import {
  type Check,
  fail,
  type Finding,
  isFinding,
  ledgerOf,
  ok,
  type Patient,
  skip,
  warn,
} from "./finding.ts";

/** A key that ends sooner is renewed by the validator; where none runs, nobody does. */
const SOON_MS = 86_400_000;
const REGISTER = "deno task vramhub register-enclave";

const enclave: Check = {
  name: "enclave",
  async run({ config, openJudge, opened, subjects }) {
    if (!subjects.has("validator")) return skip("no validator is set up here");
    const address = config.get("ENCLAVE_URL");
    if (address === undefined && !(opened instanceof Error) && opened.profile === null) {
      return skip("on a dev ledger the validator starts a judge of its own");
    }
    if (address === undefined) {
      return fail("VRAMHUB_ENCLAVE_URL is not set", "set it, e.g. to vsock:16:3000");
    }
    try {
      const judge = await openJudge(address);
      try {
        const { busy, configured, publicKey } = await judge.health();
        const pinned = config.get("ENCLAVE_PUBKEY");
        if (pinned !== undefined && pinned !== toHex(publicKey)) {
          return fail(
            `its key is ${toHex(publicKey)}, VRAMHUB_ENCLAVE_PUBKEY another: it restarted`,
            "remove VRAMHUB_ENCLAVE_PUBKEY: the attestation says more than a key that ends with the enclave",
          );
        }
        const state = `${configured ? "configured" : "not configured yet"}${
          busy ? ", judging" : ""
        }`;
        return ok(`${address} answers, ${state}, key ${toHex(publicKey).slice(0, 8)}…`);
      } finally {
        await judge.close();
      }
    } catch (error) {
      return fail(
        `${address}: ${(error as Error).message}`,
        "deno task enclave:status; deno task enclave:run --eif FILE starts it",
      );
    }
  },
};

/** The enclave key of this set-up's validator, or the finding why there is none to look at. */
async function registered(patient: Patient): Promise<EnclaveRow | Omit<Finding, "name">> {
  if (!patient.subjects.has("validator")) return skip("no validator is set up here");
  const opened = ledgerOf(patient);
  if (isFinding(opened)) return opened;
  const uid = patient.config.get("VALIDATOR_UID");
  if (uid === undefined) return skip("VRAMHUB_VALIDATOR_UID is not set");
  return await opened.ledger.enclave(uid) ??
    fail(`no key is registered for validator ${uid}`, `${REGISTER} --validator-uid ${uid}`);
}

const key: Check = {
  name: "enclave key",
  async run(patient) {
    const row = await registered(patient);
    if ("verdict" in row) return row;
    const left = row.expiresMs - patient.clock.now();
    if (left <= 0) return fail(`it expired ${moment(row.expiresMs)}`, REGISTER);
    const running = await runningKey(patient);
    if (running !== undefined && !equal(running, row.key)) {
      return fail(
        `${toHex(row.key).slice(0, 8)}… is registered, the enclave has ${
          toHex(running).slice(0, 8)
        }…: it restarted`,
        `${REGISTER}, or start the validator, which does it by itself`,
      );
    }
    return left < SOON_MS
      ? warn(`it expires ${moment(row.expiresMs)}`, `${REGISTER}, or start the validator`)
      : ok(`registered, expires ${moment(row.expiresMs)}`);
  },
};

/** The key of the enclave that runs, or undefined where none can be asked, which 'enclave' says. */
async function runningKey({ config, openJudge }: Patient) {
  const address = config.get("ENCLAVE_URL");
  if (address === undefined) return undefined;
  try {
    const judge = await openJudge(address);
    try {
      return (await judge.health()).publicKey;
    } finally {
      await judge.close();
    }
  } catch {
    return undefined;
  }
}

const measurement: Check = {
  name: "measurement",
  async run(patient) {
    const row = await registered(patient);
    if ("verdict" in row) return row;
    const opened = ledgerOf(patient);
    if (isFinding(opened)) return opened;
    const approved = await opened.ledger.measurements();
    const build = approved.find(({ name }) => name === row.measurement);
    if (build === undefined) {
      return fail(
        `${row.measurement} was removed: reports of this key count no more`,
        "run an image of an approved build: deno task vramhub admin measurements",
      );
    }
    if (build.activeFrom > opened.ledger.now()) {
      return warn(
        `${row.measurement} counts from ${moment(build.activeFrom)} on`,
        "wait until then",
      );
    }
    if (row.simulated && patient.config.get("NITRO_ENCLAVE") === true) {
      return fail(`${row.measurement} is SIMULATED`, "run a Nitro enclave, or unset NITRO_ENCLAVE");
    }
    return ok(`${row.measurement} is approved${row.simulated ? ", SIMULATED" : ""}`);
  },
};

/** See the names. */
export const ENCLAVE_CHECKS: readonly Check[] = [enclave, key, measurement];
