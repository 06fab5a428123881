/**
 * The JSON API: what each path answers. `openapi.json` documents it, and a test holds the two together.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import { datasetRoot } from "../../enclave/protocol/dataset.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { JOB_STATUSES, PRECISIONS, pricedSpec } from "../ledger/jobs.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { ToldState } from "../monitoring/component.ts";
import { gradientReports } from "./detail.ts";
import { enclaves } from "./enclaves.ts";
import { choiceOf, numberOf, type Query, QueryError } from "./query.ts";
import { network } from "./network.ts";
import { search } from "./search.ts";
import { wallet } from "./wallet.ts";
import { toWire } from "./wire.ts";
import type { WindowIndex } from "./window_index.ts";

/** Largest number that a path or a query may name. */
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;
const MAX_SLOT = 0xffff;
/** Windows of one page of a list. */
const MAX_PAGE = 200;
/** Windows that one page of a slot's history looks at: each is read whole. */
const MAX_HISTORY = 8;
/** After so long a page of a history ends early: its `next` goes on. */
const HISTORY_MS = 20;
/** Points of a curve. */
const MAX_POINTS = 1_000;
/** Data sets that are looked for, one after the other. */
const MAX_DATASETS = 256;

/** What the API answers from. */
export interface ApiParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** Its windows. */
  readonly index: WindowIndex;
  /** How the network is called. */
  readonly networkName: string;
  /** Of a block explorer, where objects have pages; null without. */
  readonly explorerUrl: string | null;
  /** A window's receipt, where one is kept. */
  readonly receipt: (window: number) => Promise<Uint8Array<ArrayBuffer> | null>;
  /** How the components are that parties on this machine tell of. */
  readonly components: () => Promise<readonly ToldState[]>;
  /** Why the ledger cannot be read now; null while it can. */
  readonly fault: () => string | null;
}

/** What one path answers, now or later; undefined says that there is no such thing. */
type Answer = (parts: ApiParts, query: Query) => unknown;

/** Every path below `/api/v1`, by its pattern. */
export const ROUTES: Readonly<Record<string, Answer>> = {
  "/network": network,
  "/components": componentsNow,
  "/windows": ({ index }, query) => {
    const before = numberOf(query, "before", 0, MAX_NUMBER, index.current + 1);
    const limit = numberOf(query, "limit", 1, MAX_PAGE, 50);
    const windows = index.list(before, limit);
    const next = windows.length < limit ? null : windows.at(-1)!.window;
    return { windows: toWire(windows), next };
  },
  "/windows/{window}": async ({ index }, query) => (await index.detail(windowOf(query)))?.detail,
  "/windows/{window}/gradients/{uid}": async ({ index }, query) => {
    const uid = numberOf(query, "uid", 0, MAX_SLOT);
    const found = await index.detail(windowOf(query));
    const gradient = found?.detail.gradients.find((row) => row.uid === uid);
    if (found == null || gradient === undefined) return undefined;
    const reports = toWire(gradientReports(found.view, found.messages, uid));
    return { randomBefore: found.detail.randomBefore, gradient, reports };
  },
  "/curve": ({ index }, query) => ({
    points: toWire(index.curve(numberOf(query, "points", 2, MAX_POINTS, 300))),
    isWhole: index.size.isWhole,
  }),
  "/miners": async ({ ledger }) => ({ miners: toWire(await ledger.miners()) }),
  "/miners/{uid}": async ({ ledger }, query) => {
    const uid = numberOf(query, "uid", 0, MAX_SLOT);
    const miner = (await ledger.miners()).find((row) => row.uid === uid);
    return miner === undefined ? undefined : { miner: toWire(miner) };
  },
  "/miners/{uid}/windows": async ({ index }, query) => {
    const uid = numberOf(query, "uid", 0, MAX_SLOT);
    return await history(
      index,
      query,
      ({ gradients }) => gradients.find((row) => row.uid === uid) ?? null,
    );
  },
  "/validators": enclaves,
  "/validators/{uid}/windows": async ({ index }, query) => {
    const uid = numberOf(query, "uid", 0, MAX_SLOT);
    return await history(
      index,
      query,
      ({ validators }) => validators.find((row) => row.uid === uid) ?? null,
    );
  },
  "/measurements": async ({ ledger }) => {
    const measurements = await ledger.measurements();
    return { measurements: toWire(measurements), nowMs: ledger.now() };
  },
  "/datasets": async ({ ledger }) => {
    const { dataset } = await ledger.info();
    const datasets = [];
    for (let id = 0; id < MAX_DATASETS; id++) {
      const row = await ledger.dataset(id);
      if (row === null) break;
      datasets.push(toWire(row));
    }
    return { active: toHex(datasetRoot(dataset)), datasets };
  },
  "/jobs": async ({ ledger }, query) => {
    const limit = numberOf(query, "limit", 1, MAX_PAGE, 50);
    const status = query.status === undefined ? undefined : choiceOf(query, "status", JOB_STATUSES);
    const [board, jobs] = await Promise.all([ledger.jobBoard(), ledger.jobs(status, limit)]);
    return { ...toWire(board), jobs: toWire(jobs), nowMs: ledger.now() };
  },
  "/jobs/quote": async ({ ledger }, query) => {
    const { fee, payout } = await ledger.quoteJob(pricedSpec({
      modelParamsM: numberOf(query, "modelParamsM", 1, 10_000_000),
      datasetTokensM: numberOf(query, "datasetTokensM", 1, 10_000_000),
      numEpochs: numberOf(query, "numEpochs", 1, 1_000, 1),
      precision: choiceOf(query, "precision", PRECISIONS, "BF16"),
    }));
    return toWire({ payout, fee, total: payout + fee });
  },
  "/wallets/{address}": wallet,
  "/search": search,
};

/** How the components are, as their parties told last. The machine's time, not the ledger's. */
async function componentsNow({ components }: ApiParts) {
  return { components: toWire([...await components()]), nowMs: Date.now() };
}

/** The number of the window that a path names. */
function windowOf(query: Query): number {
  return numberOf(query, "window", 0, MAX_NUMBER);
}

type Detail = NonNullable<Awaited<ReturnType<WindowIndex["detail"]>>>["detail"];

/** What a slot did in up to `limit` windows below `before`, newest first. */
async function history<T>(index: WindowIndex, query: Query, part: (detail: Detail) => T | null) {
  const before = numberOf(query, "before", 0, MAX_NUMBER, index.current + 1);
  const limit = numberOf(query, "limit", 1, MAX_HISTORY, MAX_HISTORY);
  const listed = index.list(before, limit);
  const windows = [];
  const started = performance.now();
  for (const { window } of listed) {
    const found = await index.detail(window);
    if (found === null) continue;
    const { randomBefore, status } = found.detail;
    windows.push({ window, status, randomBefore, row: part(found.detail) });
    const isLate = performance.now() - started > HISTORY_MS;
    if (isLate && window !== listed.at(-1)!.window) return { windows, next: window };
  }
  return { windows, next: listed.length < limit ? null : listed.at(-1)!.window };
}

/** An answer: its status and what is sent. */
export interface Answered {
  /** HTTP's. */
  readonly status: number;
  /** JSON. */
  readonly body: unknown;
}

/** The answer to a path below `/api/v1` with its query. */
export async function answer(
  parts: ApiParts,
  path: string,
  search: URLSearchParams,
): Promise<Answered> {
  const found = match(path);
  if (found === undefined) return fail(404, "unknown_path", `There is nothing at ${path}`);
  try {
    const body = await found.answer(parts, { ...queryOf(search), ...found.params });
    if (body === undefined) {
      return fail(404, "not_found", "The ledger has no such thing, or forgot it");
    }
    return { status: 200, body };
  } catch (error) {
    if (error instanceof QueryError) return fail(400, "bad_query", error.message);
    if (error instanceof Refusal) return fail(400, error.code, error.message);
    const why = error instanceof Error ? error.message : String(error);
    return fail(503, "ledger_unreadable", `The ledger did not answer: ${why}`);
  }
}

function fail(status: number, code: string, message: string): Answered {
  return { status, body: { error: { code, message } } };
}

function queryOf(search: URLSearchParams): Record<string, string> {
  const seen = new Map<string, string>();
  for (const [name, value] of search) {
    if (seen.has(name)) throw new QueryError(`Cannot take '${name}' twice`);
    seen.set(name, value);
  }
  return Object.fromEntries(seen);
}

function match(path: string): { answer: Answer; params: Record<string, string> } | undefined {
  const parts = path.split("/");
  for (const [pattern, answer] of Object.entries(ROUTES)) {
    const wanted = pattern.split("/");
    const params: Record<string, string> = {};
    const fits = wanted.length === parts.length && wanted.every((part, i) => {
      if (!part.startsWith("{")) return part === parts[i];
      params[part.slice(1, -1)] = parts[i]!;
      return parts[i] !== "";
    });
    if (fits) return { answer, params };
  }
  return undefined;
}
