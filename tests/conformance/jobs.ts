/**
 * Operations of traces on the board of training jobs.
 *
 * @module
 */
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { encodeJobVerdict } from "../../enclave/protocol/job_verdict.ts";
import {
  type JobRow,
  type JobSpec,
  type JobStatus,
  type JobTerms,
  PRECISIONS,
} from "../../host/ledger/jobs.ts";
import type { Address } from "../../host/ledger/ledger.ts";
import { bytes32 } from "../../host/ledger/testing.ts";
import { COIN, CUSTOMER, HOUR, RESULT, SPEC } from "../../host/ledger/testing_coins.ts";
import type { StepName } from "./codes.ts";
import type { Dice } from "./dice.ts";
import { governor } from "./judging.ts";
import { numberOf, PEOPLE } from "./people.ts";
import type { Player } from "./player.ts";
import type { Operation } from "./slots.ts";
import type { Value } from "./tape.ts";

function specOf(d: Dice): JobSpec {
  const spec: JobSpec = {
    ...SPEC,
    modelParamsM: d.pick([1, 10, 137]),
    datasetTokensM: d.pick([7, 100, 1_234]),
    numEpochs: d.pick([1, 2, 3]),
    precision: d.pick(PRECISIONS),
    datasetId: d.oneIn(16) ? d.below(4) : 0,
  };
  const faults: Partial<JobSpec>[] = [
    { modelParamsM: 0 },
    { numEpochs: 1_001 },
    { batchSize: 0 },
    { baseHash: new Uint8Array(31) },
    { baseRef: "" },
    { minImprovement: 0 },
    { modelParamsM: 10_000_000, datasetTokensM: 10_000_000, numEpochs: 1_000 },
    { modelParamsM: 10_000_001 },
  ];
  return d.oneIn(20) ? { ...spec, ...d.pick(faults) } : spec;
}

const specValues = (spec: JobSpec): Value[] => [
  spec.modelParamsM,
  spec.datasetTokensM,
  spec.numEpochs,
  spec.batchSize,
  spec.sequenceLength,
  PRECISIONS.indexOf(spec.precision),
  spec.minGpuVramGb,
  spec.datasetId,
  spec.baseHash,
  utf8(spec.baseRef),
  spec.minImprovement,
];

const quoteJob: Operation = (p, d) => quote(p, specOf(d));

async function quote(p: Player, spec: JobSpec): Promise<void> {
  await p.play("quoteJob", specValues(spec), async () => {
    const { payout, fee } = await p.ledger.quoteJob(spec);
    return [payout, fee];
  });
}

async function postJob(p: Player, d: Dice): Promise<void> {
  const who = d.oneIn(4) ? d.pick(PEOPLE) : CUSTOMER;
  const spec = specOf(d);
  if (!d.oneIn(24)) await p.fund(who, 20n * COIN);
  const ahead = d.oneIn(24)
    ? d.pick([HOUR - 1, 168 * HOUR + 1])
    : d.pick([HOUR, 2 * HOUR, 5 * HOUR]);
  const deadline = p.network.clock.now() + ahead;
  const { sui } = await p.ledger.balance(who);
  await p.play(
    "postJob",
    [who, ...specValues(spec), deadline, sui],
    () => p.ledger.postJob(who, spec, deadline),
  );
}

/** A job of this status mostly, or of any. */
async function jobOf(p: Player, d: Dice, ...statuses: JobStatus[]): Promise<JobRow | undefined> {
  const rows = await p.ledger.jobs(undefined, 1_000);
  const fit = rows.filter(({ status }) => statuses.includes(status));
  return d.oneIn(16) ? d.maybe(rows) : d.maybe(fit);
}

const idOf = (d: Dice, job: JobRow | undefined) => job?.id ?? (d.oneIn(3) ? 99 : undefined);

async function claimJob(p: Player, d: Dice): Promise<void> {
  const id = idOf(d, await jobOf(p, d, "open"));
  if (id === undefined) return;
  const row = d.maybe(await p.ledger.miners());
  const who = d.oneIn(10) || row === undefined ? d.pick(PEOPLE) : row.owner;
  const uid = row?.uid ?? 0;
  if (!d.oneIn(16)) await p.fund(who, 10n * COIN);
  const { sui } = await p.ledger.balance(who);
  await p.play("claimJob", [who, id, uid, sui], () => p.ledger.claimJob(who, id, uid));
}

async function completeJob(p: Player, d: Dice): Promise<void> {
  const job = await jobOf(p, d, "claimed");
  const id = idOf(d, job);
  if (id === undefined) return;
  const who = d.oneIn(10) ? d.pick(PEOPLE) : job?.miner?.owner ?? CUSTOMER;
  const hash = d.oneIn(12) ? RESULT.slice(1) : RESULT;
  const ref = d.oneIn(12) ? "" : "walrus://result";
  await p.play(
    "completeJob",
    [who, id, hash, utf8(ref)],
    () => p.ledger.completeJob(who, id, hash, ref),
  );
}

/** A call that takes only its sender and the job. */
function simple(
  name: "settleJob" | "cancelJob" | "refundJob" | "releaseJob" | "expireDispute" | "pruneJob",
  sender: (job: JobRow | undefined) => string | undefined,
  ...statuses: JobStatus[]
): Operation {
  return async (p, d) => {
    const job = await jobOf(p, d, ...statuses);
    const id = idOf(d, job);
    if (id === undefined) return;
    const who = d.oneIn(10) ? d.pick(PEOPLE) : sender(job) ?? CUSTOMER;
    const step: StepName = name;
    await p.play(step, [who, id], () => p.ledger[name](who, id));
  };
}

async function disputeJob(p: Player, d: Dice): Promise<void> {
  const job = await jobOf(p, d, "completed");
  const id = idOf(d, job);
  if (id === undefined) return;
  const who = d.oneIn(10) ? d.pick(PEOPLE) : job?.customer ?? CUSTOMER;
  if (!d.oneIn(16)) await p.fund(who, 10n * COIN);
  const { sui } = await p.ledger.balance(who);
  await p.play("disputeJob", [who, id, sui], () => p.ledger.disputeJob(who, id));
}

async function resolveDispute(p: Player, d: Dice): Promise<void> {
  const job = await jobOf(p, d, "disputed");
  const id = idOf(d, job);
  if (id === undefined) return;
  const seat = d.maybe(await p.ledger.validators());
  const [uid, owner] = [seat?.uid ?? 0, seat?.owner ?? PEOPLE[6]!];
  const key = numberOf(owner);
  const { chainId, ledgerId } = await p.ledger.info();
  const root = job?.spec.datasetRoot ?? bytes32("none");
  const verdict = {
    chainId,
    ledgerId,
    validator: uid,
    job: id,
    timestampMs: p.network.clock.now(),
    datasetRoot: root,
    baseHash: SPEC.baseHash,
    resultHash: RESULT,
    lossBefore: 2_000_000,
    lossAfter: d.pick([1_000_000, 1_999_000, 1_999_001, 2_500_000, null]),
  };
  const faults = [
    { ledgerId: bytes32("another") },
    { validator: 7 },
    { validator: 7 },
    { timestampMs: verdict.timestampMs + 300_001 },
    { resultHash: bytes32("another") },
    { datasetRoot: bytes32("another") },
  ];
  const whole = encodeJobVerdict({ ...verdict, ...(d.oneIn(3) ? d.pick(faults) : {}) });
  const message = d.oneIn(12) ? whole.slice(1) : whole;
  const signature = p.network.sign(uid, message, d.oneIn(10) ? key + 1 : key);
  await p.play(
    "resolveDispute",
    [CUSTOMER, message, signature],
    () => p.ledger.resolveDispute(CUSTOMER, message, signature),
  );
}

async function setJobTerms(p: Player, d: Dice): Promise<void> {
  const terms: JobTerms = {
    pricePerUnit: BigInt(d.pick([10_000, 123_457, 2_000_000])),
    feeBps: d.pick([0, 500, 777, 1_000]),
    minPrice: BigInt(d.pick([1_001, 1_000_000_000])),
    disputeWindowMs: d.pick([1, 2]) * HOUR,
    disputeTimeoutMs: d.pick([12, 13]) * HOUR,
    bondBps: d.pick([500, 1_234, 5_000]),
    defaultSplitBps: d.pick([0, 333, 500]),
  };
  const faults: Partial<JobTerms>[] = [
    { pricePerUnit: 0n },
    { feeBps: 1_001 },
    { disputeWindowMs: HOUR - 1 },
    { disputeTimeoutMs: 168 * HOUR + 1 },
    { bondBps: 499 },
    { defaultSplitBps: 5_001 },
  ];
  const wanted = { ...terms, ...(d.oneIn(6) ? d.pick(faults) : {}) };
  await setTerms(p, await governor(p, d), wanted);
}

async function setTerms(p: Player, sender: Address, wanted: JobTerms): Promise<void> {
  await p.govern(
    "setJobTerms",
    sender,
    [
      wanted.pricePerUnit,
      wanted.feeBps,
      wanted.minPrice,
      wanted.disputeWindowMs,
      wanted.disputeTimeoutMs,
      wanted.bondBps,
      wanted.defaultSplitBps,
    ],
    () => p.ledger.setJobTerms(sender, wanted),
  );
}

/** A price that no coin can hold, of the largest job at a high price. */
async function dearJob(p: Player): Promise<void> {
  const admin = await p.admin();
  if (admin === null) return;
  const { terms } = await p.ledger.jobBoard();
  await setTerms(p, admin, { ...terms, pricePerUnit: 2_000_000n });
  const spec = { ...SPEC, modelParamsM: 10_000_000, datasetTokensM: 10_000_000, numEpochs: 1_000 };
  await quote(p, spec);
}

async function sweepJobFees(p: Player, d: Dice): Promise<void> {
  const sender = await governor(p, d);
  await p.govern("sweepJobFees", sender, [sender], () => p.ledger.sweepJobFees(sender));
}

/** Operations on jobs. */
export const JOBS = {
  quoteJob,
  postJob,
  claimJob,
  completeJob,
  settleJob: simple("settleJob", (job) => job?.customer, "completed"),
  cancelJob: simple("cancelJob", (job) => job?.customer, "open"),
  refundJob: simple("refundJob", (job) => job?.customer, "open", "claimed"),
  releaseJob: simple("releaseJob", (job) => job?.miner?.owner, "claimed"),
  disputeJob,
  resolveDispute,
  expireDispute: simple("expireDispute", (job) => job?.customer, "disputed"),
  pruneJob: simple("pruneJob", (job) => job?.customer, "settled", "refunded"),
  setJobTerms,
  dearJob,
  sweepJobFees,
} satisfies Record<string, Operation>;
