/**
 * An audit of one window from a stranger's data directory: every input by its hash, every check of its receipt,
 * and the judge once more, whose answers are compared with what was signed.
 *
 * @module
 */
import { mergedUids } from "../../../enclave/model/merge.ts";
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import { equal, toHex } from "../../../enclave/protocol/bytes.ts";
import { addressBytes } from "../../../enclave/protocol/identity.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { decodeOutcome, decodeReport } from "../../../enclave/protocol/report.ts";
import { isMeasured, VERDICT } from "../../../enclave/protocol/verdict.ts";
import { outcomePayload, reportPayload, type RequestParts } from "../../courier/request.ts";
import { measureSimulated } from "../../credentials/measure.ts";
import type { Ledger, SignedRow, WindowMessages, WindowView } from "../../ledger/ledger.ts";
import { reason } from "../../ledger/log.ts";
import { windowRandomness } from "../../ledger/randomness.ts";
import { collectReceipt } from "../../receipt/mod.ts";
import { windowOrNull } from "../../store/bases.ts";
import type { ReplayArgs } from "../args_replay.ts";
import { CheckError } from "../report/facts.ts";
import { type Checked, verifyReceipt } from "../report/verify.ts";
import { compareOutcomes, compareReports, type Comparison, differenceText } from "./compare.ts";
import { Missing, modelOf, openBeacon, openLedgerCopy, openPages, openStore } from "./data_dir.ts";
import { fetchGradients, replayBases, type WindowBases } from "./inputs.ts";
import { Judges } from "./judges.ts";

const ENCLAVE_DIR = decodeURIComponent(new URL("../../../enclave", import.meta.url).pathname);

/** How an audit tells what it does. */
export interface ReplayIo {
  /** A check has ended. */
  readonly show: (checked: Checked) => void;
  /** Long work goes on. */
  readonly progress: (detail: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** A step failed without which nothing can be done. */
class Stop extends Error {}

/**
 * Audit a window.
 *
 * @returns whether everything holds.
 * @throws {Missing} where an input is not to be had: then there is no verdict.
 */
export async function replay(args: ReplayArgs, io: ReplayIo): Promise<boolean> {
  const scratch = await Deno.makeTempDir({ prefix: "vramhub-audit-" });
  try {
    return await new Audit(args, io, scratch).run();
  } catch (error) {
    if (error instanceof Stop) return false;
    throw error;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** What has been read once the inputs are complete. */
interface Inputs {
  readonly ledger: Ledger;
  readonly view: WindowView;
  readonly messages: WindowMessages;
  readonly model: ModelConfig;
  readonly bases: WindowBases;
  readonly request: Omit<RequestParts, "unavailable">;
}

class Audit {
  readonly #args: ReplayArgs;
  readonly #io: ReplayIo;
  readonly #scratch: string;
  #ok = true;

  constructor(args: ReplayArgs, io: ReplayIo, scratch: string) {
    this.#args = args;
    this.#io = io;
    this.#scratch = scratch;
  }

  async run(): Promise<boolean> {
    await using cleanup = new AsyncDisposableStack();
    const { dataDir: dir, window } = this.#args;
    const { ledger, view, info } = await this.#step("read ledger", async () => {
      const ledger = cleanup.use(await openLedgerCopy(dir, this.#scratch));
      const info = await ledger.info();
      const view = await windowOrNull(ledger, window);
      if (view === null || (view.status !== "closed" && view.status !== "skipped")) {
        throw new Missing(
          `Cannot replay window ${window}: ${view === null ? "it has no row" : "it has not ended"}`,
        );
      }
      const detail = `a copy of the ledger; window ${window} is ${view.status}`;
      return { ledger, view, info, detail };
    });
    const pages = await this.#step("read data", async () => {
      const pages = await openPages(dir, info);
      return { pages, detail: `${pages.dataset.pageCount} pages give the ledger's root` };
    });
    const { randomness } = view.context;
    const rounds = randomness.kind === "drand"
      ? [randomness.assignRound, randomness.judgeRound] as const
      : [0, 0] as const;
    const { source: beacon } = await this.#step("read beacon", async () => {
      const opened = await openBeacon(dir, this.#scratch, info, window, rounds);
      return { ...opened, detail: `signatures from ${opened.from}` };
    });
    const model = modelOf(info);
    const store = await openStore(dir);
    const messages = await ledger.messages(window);
    const gradients = await this.#attempt("gradients", async () => {
      const { found, absent } = await fetchGradients(view, store);
      const needed = measuredUids(messages);
      const lacking = absent.filter((uid) => needed.has(uid));
      if (lacking.length > 0) {
        throw new Missing(`Cannot replay: the gradient of uid ${lacking[0]} is not kept any more`);
      }
      return { found, detail: `${found.size} of ${view.reveals.length}, by their hashes` };
    });
    const bases = await this.#attempt("merges", async () => {
      const { progress } = this.#io;
      const bases = await replayBases(view, ledger, store, model, progress);
      const { base, next } = bases;
      const short = (hash: Uint8Array) => `${toHex(hash).slice(0, 8)}…`;
      const detail = `base(${window}) ${short(base.hash)}, base(${window + 1}) ${short(next.hash)}`;
      return { ...bases, detail };
    });
    const sources = { ledger, pages: pages.pages, beacon, model };
    const { receipt } = await this.#step("receipt", async () => {
      const manifest = (hash: Uint8Array) => bases?.bases.manifest(hash);
      const receipt = await collectReceipt({ ...sources, manifest }, window);
      return { receipt, detail: "collected from all of it; its own checks follow" };
    });
    const trust = info.simulatedRoot === null ? {} : { simulatedRoot: info.simulatedRoot };
    (await verifyReceipt(receipt, trust)).forEach((checked) => this.#tell(checked));
    if (gradients !== undefined && bases !== undefined && messages.reports.length > 0) {
      const request = {
        view,
        dataset: pages.pages.dataset,
        pages: pages.pages,
        model,
        randomness: await windowRandomness(view, beacon),
      };
      const inputs = { ledger, view, messages, model, bases, request };
      await this.#judgeAgain(inputs, gradients.found);
    }
    return this.#ok;
  }

  #tell(checked: Checked): void {
    this.#ok &&= checked.ok;
    this.#io.show(checked);
  }

  /** One step: what it throws fails it and is told. What is missing is no verdict, unless something has failed before. */
  async #attempt<T extends { readonly detail: string }>(
    name: string,
    run: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      const result = await run();
      this.#tell({ name, ok: true, detail: result.detail });
      return result;
    } catch (error) {
      if ((error instanceof Missing && this.#ok) || this.#io.signal.aborted) throw error;
      this.#tell({ name, ok: false, detail: reason(error) });
      return undefined;
    }
  }

  /** A step without which nothing can be done. */
  async #step<T extends { readonly detail: string }>(
    name: string,
    run: () => Promise<T>,
  ): Promise<T> {
    const result = await this.#attempt(name, run);
    if (result === undefined) throw new Stop();
    return result;
  }

  async #judgeAgain(inputs: Inputs, gradients: ReadonlyMap<number, Uint8Array<ArrayBuffer>>) {
    const { view, messages, model, bases, request } = inputs;
    const { chainId, ledgerId } = view.context;
    const first = messages.reports[0]!.validator;
    const owner = view.snapshot.find(({ uid }) => uid === first)?.owner;
    if (owner === undefined) throw new CheckError(`validator ${first} is not in the snapshot`);
    const { progress, signal } = this.#io;
    progress("starting the judge again");
    const pcrs = await measureSimulated(ENCLAVE_DIR);
    this.#tell({ name: "judge", ok: true, detail: await buildOf(inputs.ledger, pcrs) });
    await using judges = new Judges({
      scratch: this.#scratch,
      identity: { chainId, ledgerId, validator: first, address: addressBytes(owner) },
      pcrs,
      model,
      gradients,
      signal,
    });
    for (const row of messages.reports) {
      await this.#compare("report", row, compareReports, async () => {
        const unavailable = abstained(row);
        const parts = { ...request, unavailable };
        return await judges.ask(
          "report",
          await reportPayload(parts, bases.base.manifest),
          bases.base,
        );
      });
    }
    for (const row of view.settled === null ? [] : messages.outcomes) {
      await this.#compare("outcome", row, compareOutcomes, async () => {
        const parts = { ...request, unavailable: unmerged(row, view) };
        return await judges.ask(
          "outcome",
          await outcomePayload(parts, bases.next.manifest),
          bases.next,
        );
      });
    }
  }

  async #compare(
    kind: "report" | "outcome",
    row: SignedRow,
    compare: typeof compareReports,
    ask: () => Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    const { tolerance } = this.#args;
    this.#io.progress(`judging again: the ${kind} of validator ${row.validator}`);
    try {
      const found = compare(row.message, await ask(), tolerance);
      const who = `validator ${row.validator}`;
      const ok = found.kind !== "differs";
      this.#tell({ name: kind, ok, detail: `${who}: ${comparisonText(found)}` });
    } catch (error) {
      if (error instanceof Missing || this.#io.signal.aborted) throw error;
      const detail = `validator ${row.validator}: the judge refuses its inputs: ${reason(error)}`;
      this.#tell({ name: kind, ok: false, detail });
    }
  }
}

function comparisonText(found: Comparison): string {
  switch (found.kind) {
    case "same_bytes":
      return "the same bytes but for key, uid and timestamp";
    case "within":
      return `not the same bytes, but within ${found.units} units (1e-6 nats), as another kind of CPU gives; first ${
        differenceText(found.first)
      }`;
    case "differs":
      return `differs at ${differenceText(found.first)}`;
  }
}

/** Whether the judge that runs here is an approved build of that ledger. */
async function buildOf(ledger: Ledger, pcrs: readonly Uint8Array[]): Promise<string> {
  const approved = await ledger.measurements();
  const build = approved.find((row) => equal(row.pcrs[0], pcrs[0]!));
  if (build !== undefined) return `started again, SIMULATED; it is the approved ${build.name}`;
  const sources = approved.some((row) => equal(row.pcrs[2], pcrs[2]!));
  return `started again, SIMULATED; ${
    sources ? "the approved sources on another runtime" : "other sources than the approved ones"
  }`;
}

/** uids that some report measured. One that cannot be read has its own check. */
function measuredUids({ reports }: WindowMessages): Set<number> {
  const uids = new Set<number>();
  for (const { message } of reports) {
    try {
      for (const { uid, verdict } of decodeReport(message).entries) {
        if (isMeasured(verdict)) uids.add(uid);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return uids;
}

/** uids on which a report abstained: its courier did not have their gradients. */
function abstained({ message }: SignedRow): number[] {
  return decodeReport(message).entries
    .filter(({ verdict }) => verdict === VERDICT.unavailable).map(({ uid }) => uid);
}

/** An outcome without a merge is that of a courier that lacked what is merged, or merges nothing. */
function unmerged({ message }: SignedRow, { settled, reveals, hparams }: WindowView): number[] {
  if (decodeOutcome(message).manifestHash !== null) return [];
  return mergedUids(settled!.randomBefore, settled!.rows, reveals, hparams.top_g);
}
