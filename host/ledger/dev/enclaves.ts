/**
 * `enclave_registry`: approved measurements, and the keys of attested judges. Registration is permissionless:
 * the document itself says for whom it is.
 *
 * @module
 */
import { type Bytes, equal } from "../../../enclave/protocol/bytes.ts";
import { LedgerError, requireThat } from "../../../enclave/protocol/errors.ts";
import { addressBytes, userDataOf } from "../../../enclave/protocol/identity.ts";
import { AttestationError, type Attested, type Policy, verify } from "../../../attestation/mod.ts";
import type { Address, AttestationRow, EnclaveRow, MeasurementRow } from "../ledger.ts";
import { approvalTime } from "./hparams.ts";
import { blob, type Row, type State } from "./state.ts";
import { roll, seatOwner } from "./validators.ts";

const MODULE = "enclave_registry";
/** Builds approved at one time at most. */
const MAX_MEASUREMENTS = 32;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Approve a build. It counts only after the unbonding period: whoever disagrees can leave before. */
export function approveMeasurement(
  state: State,
  sender: Address,
  name: string,
  pcrs: readonly [Bytes, Bytes, Bytes],
): void {
  state.assertAdmin(sender, MODULE);
  checkMeasurement(name, pcrs);
  const many = state.get("select count(*) as n from measurements")!.n as number;
  requireThat(
    many < MAX_MEASUREMENTS,
    MODULE,
    "EBadMeasurement",
    `${MAX_MEASUREMENTS} builds are approved at most`,
  );
  const taken = state.get("select 1 from measurements where name = ?", name);
  // Never twice: keys remember their build by name, and must not come back to life with another one.
  requireThat(
    taken === undefined && state.meta(`removed/${name}`) === undefined,
    MODULE,
    "EBadMeasurement",
    `${name} is, or was, the name of a build`,
  );
  insertMeasurement(state, name, pcrs, approvalTime(state));
}

/** Refuse names and values that no build has. */
export function checkMeasurement(name: string, pcrs: readonly [Bytes, Bytes, Bytes]): void {
  requireThat(
    NAME.test(name),
    MODULE,
    "EBadMeasurement",
    "a measurement's name is 1..64 of a-z 0-9 . _ -",
  );
  requireThat(
    pcrs.every((pcr) => pcr.length === 48 && pcr.some((byte) => byte !== 0)),
    MODULE,
    "EBadMeasurement",
    "PCR0-2 are 48 bytes each and not all zero (that is a debug enclave)",
  );
}

/** Insert an approved build; genesis does so without waiting. */
export function insertMeasurement(
  state: State,
  name: string,
  pcrs: readonly [Bytes, Bytes, Bytes],
  activeFrom: number,
): void {
  state.run("insert into measurements values (?, ?, ?, ?, ?)", name, ...pcrs, activeFrom);
  state.emit("enclave_registry::MeasurementApproved", { name, pcrs, activeFrom });
}

/** Remove a build at once: keys that it attested sign nothing any more. */
export function removeMeasurement(state: State, sender: Address, name: string): void {
  state.assertAdmin(sender, MODULE);
  const changed = state.run("delete from measurements where name = ?", name);
  requireThat(changed === 1, MODULE, "EBadMeasurement", `there is no measurement ${name}`);
  state.setMeta(`removed/${name}`, state.nowMs);
  state.emit("enclave_registry::MeasurementRemoved", { name });
}

/** All approved builds. */
export function measurements(state: State): MeasurementRow[] {
  return state.all("select * from measurements order by name").map((row) => ({
    name: row.name as string,
    pcrs: [blob(row.pcr0), blob(row.pcr1), blob(row.pcr2)],
    activeFrom: row.active_from as number,
  }));
}

/** What a document must say to register validator `uid` now. */
export function registrationPolicy(state: State, uid: number): Policy {
  roll(state);
  const info = state.info();
  const userData = expectedUserData(state, uid);
  const approved = measurements(state).filter((row) => row.activeFrom <= state.nowMs);
  requireThat(
    approved.length > 0,
    MODULE,
    "EMeasurementNotApproved",
    "no build is approved at this time",
  );
  return {
    root: info.simulatedRoot === null
      ? { kind: "aws" }
      : { kind: "simulated", der: info.simulatedRoot },
    time: {
      kind: "live",
      now: state.nowMs,
      maxAgeMs: state.current().document_age_ms,
    },
    measurements: approved.map((row) => ({
      name: row.name,
      pcrs: new Map(row.pcrs.map((pcr, i) => [i, pcr])),
    })),
    userData,
    publicKey: "ed25519",
    debug: "refuse",
  };
}

function ownerOf(state: State, uid: number): Address {
  const owner = seatOwner(state, uid);
  requireThat(owner !== null, MODULE, "ENotOwner", `there is no validator ${uid}`);
  return owner;
}

/** What a document of validator `uid` must say in its user data. */
function expectedUserData(state: State, uid: number): Bytes {
  const { chainId, ledgerId } = state.info();
  const address = addressBytes(ownerOf(state, uid));
  return userDataOf({ chainId, ledgerId, validator: uid, address });
}

/** Verify a document by `policy`; the verifier's refusals become the ledger's. */
export async function attest(document: Bytes, policy: Policy): Promise<Attested> {
  try {
    return await verify(document, policy);
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    const constant = error.code === "stale"
      ? "EDocumentTooOld"
      : CONSTANTS[error.field ?? ""] ?? "EBadDocument";
    throw new LedgerError(MODULE, constant, `${error.code}: ${error.message}`);
  }
}

/** The verifier names the field at fault. */
const CONSTANTS: Readonly<Record<string, string>> = {
  pcrs: "EMeasurementNotApproved",
  user_data: "EWrongUserData",
  public_key: "EBadKey",
};

/** Register the key of a verified document. */
export function registerEnclave(
  state: State,
  uid: number,
  attested: Attested,
  document: Bytes,
): void {
  roll(state);
  const hparams = state.current();
  const owner = ownerOf(state, uid);
  const { publicKey: key, userData } = attested;
  // Verifying took a moment in which the slot or the build can have changed.
  requireThat(
    userData !== undefined && equal(userData, expectedUserData(state, uid)),
    MODULE,
    "EWrongUserData",
    "the document is for another owner",
  );
  requireThat(
    state.get("select 1 from measurements where name = ?", attested.measurement) !== undefined,
    MODULE,
    "EMeasurementNotApproved",
    `build ${attested.measurement} is not approved any more`,
  );
  requireThat(key !== undefined, MODULE, "EBadKey", "the document carries no public key");
  requireThat(
    state.nowMs - attested.timestamp <= hparams.document_age_ms,
    MODULE,
    "EDocumentTooOld",
    `the document is older than ${hparams.document_age_ms} ms`,
  );
  const known = state.get("select * from enclaves where key = ?", key);
  requireThat(
    known === undefined || (known.uid === uid && known.owner === owner),
    MODULE,
    "EKeyTaken",
    "the key belongs to another validator for ever",
  );
  // Of all keys, also those that count no more: nobody can put an older one back by its old document.
  const newest = state.get(
    "select max(document_ms) as ms from enclaves where uid = ? and owner = ?",
    uid,
    owner,
  )!.ms as number | null;
  requireThat(
    newest === null || newest < attested.timestamp,
    MODULE,
    "EDocumentNotNewer",
    "only a strictly newer document replaces the registered one",
  );
  // A key that is merely renewed keeps its age: a renewal must not bar it from the running report.
  const registered = known?.active === 1 ? known.registered_ms as number : state.nowMs;
  // A slot's former owner keeps its key: it still reports the window in which it was seated.
  state.run("update enclaves set active = 0 where uid = ? and owner = ?", uid, owner);
  state.run(
    "insert or replace into enclaves values (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
    key,
    uid,
    owner,
    attested.timestamp,
    registered,
    state.nowMs + hparams.key_ttl_ms,
    attested.measurement,
    Number(attested.root === "simulated"),
    document,
  );
  state.emit("enclave_registry::EnclaveRegistered", {
    validator: uid,
    owner,
    key,
    measurement: attested.measurement,
    documentMs: attested.timestamp,
    registeredMs: registered,
    expiresMs: state.nowMs + hparams.key_ttl_ms,
    simulated: attested.root === "simulated",
  });
}

/** The key that may sign for validator `uid` of `owner` now: active, of an approved build, unexpired. */
export function verdictKey(state: State, uid: number, owner: Address): Bytes | null {
  const row = state.get(
    `select e.key from enclaves e join measurements m on m.name = e.measurement
     where e.uid = ?1 and e.owner = ?2 and e.active = 1 and e.expires_ms > ?3 and m.active_from <= ?3`,
    uid,
    owner,
    state.nowMs,
  );
  return row === undefined ? null : blob(row.key);
}

/** The active key of a validator. */
export function enclaveOf(state: State, uid: number): EnclaveRow | null {
  const row = state.get(
    "select * from enclaves where uid = ? and owner = ? and active = 1",
    uid,
    seatOwner(state, uid),
  );
  return row === undefined ? null : toEnclave(row);
}

/** How `key` was registered the last time, whether or not it still counts. */
export function attestationOf(state: State, key: Bytes): AttestationRow | null {
  const row = state.get("select * from enclaves where key = ?", key);
  if (row === undefined) return null;
  return { ...toEnclave(row), owner: row.owner as Address, document: blob(row.document) };
}

function toEnclave(row: Row): EnclaveRow {
  return {
    key: blob(row.key),
    uid: row.uid as number,
    documentMs: row.document_ms as number,
    registeredMs: row.registered_ms as number,
    expiresMs: row.expires_ms as number,
    measurement: row.measurement as string,
    simulated: row.simulated === 1,
  };
}
