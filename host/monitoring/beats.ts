/**
 * Signs of life: each party of a data directory writes every few seconds how it and its components are, so that the
 * explorer and the other parties of that directory see who has stopped, also where nobody was left to say so.
 *
 * A beat is a file `health/NAME.json` of the directory. Beats are told by whoever can write there, and prove nothing.
 *
 * @module
 */
import {
  type ComponentName,
  COMPONENTS,
  type ComponentState,
  type Fault,
  type FaultName,
  FAULTS,
  type ToldState,
} from "./component.ts";

/** Older than this, a beat is that of a party which has stopped without a word. */
const SILENT_MS = 6_000;
/** So long a stop is worth a word. */
const FORGET_MS = 3_600_000;
/** Most beats of a folder that are read, and most bytes of one. */
const MAX_BEATS = 64;
const MAX_BYTES = 65_536;
const MAX_COMPONENTS = 128;
const MAX_TEXT = 400;
const NAME = /^[a-z]{1,16}(-\d{1,5})?$/;

/** Who writes a beat. */
export interface Party {
  /** What it is. */
  readonly component: "validator" | "miner" | "aggregator";
  /** Its slot, where it has one. */
  readonly uid: number | null;
}

interface Beat extends Party {
  readonly atMs: number;
  readonly stopped: boolean;
  readonly states: readonly ComponentState[];
}

/** Name of a party's beat, e.g. `validator-0`. */
export function partyName({ component, uid }: Pick<ComponentState, "component" | "uid">): string {
  return uid === null ? component : `${component}-${uid}`;
}

/** Writes the beats of one party. */
export class Beats {
  readonly #dir: string;
  readonly #party: Party;
  #drafts = 0;

  private constructor(dir: string, party: Party) {
    this.#dir = dir;
    this.#party = party;
  }

  /** Of `party`, in the data directory `dataDir`. */
  static async open(dataDir: string, party: Party): Promise<Beats> {
    const dir = `${dataDir}/health`;
    await Deno.mkdir(dir, { recursive: true });
    return new Beats(dir, party);
  }

  /** Say that the party lives, and how its components are; or, with `stopped`, that it ends of its own will. */
  async write(states: readonly ComponentState[], stopped = false): Promise<void> {
    const { component, uid } = this.#party;
    const path = `${this.#dir}/${partyName(this.#party)}.json`;
    const beat: Beat = { component, uid, atMs: Date.now(), stopped, states };
    const draft = `${path}.${Deno.pid}.${this.#drafts++ % 8}`;
    await Deno.writeTextFile(draft, JSON.stringify(beat));
    await Deno.rename(draft, path); // readers find one whole beat or the other
  }
}

/**
 * How everything is that the parties of a data directory tell of, ordered by component and slot. Of a party that has
 * stopped only that is known. A beat that cannot be read is left out.
 */
export async function readBeats(
  dataDir: string,
  now: number = Date.now(),
): Promise<readonly ToldState[]> {
  const states: ToldState[] = [];
  for (const by of await namesOf(`${dataDir}/health`)) {
    const beat = await readBeat(`${dataDir}/health/${by}.json`);
    if (beat === null || now - beat.atMs > FORGET_MS) continue;
    const { atMs, component, stopped, uid } = beat;
    const silent = now - atMs > SILENT_MS;
    const fault: Fault | null = stopped
      ? { reason: "stopped", detail: "It was stopped" }
      : silent
      ? { reason: "silent", detail: `No sign of life since ${new Date(atMs).toISOString()}` }
      : null;
    const self = { component, uid, ok: fault === null, fault, sinceMs: atMs, last: null, by };
    states.push(self);
    if (fault === null) states.push(...beat.states.map((state) => ({ ...state, by })));
  }
  const order = ({ component, uid }: ToldState) => COMPONENTS.indexOf(component) * 1e5 + (uid ?? 0);
  return states.sort((a, b) => order(a) - order(b));
}

async function namesOf(dir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { isFile, name } of Deno.readDir(dir)) {
      const stem = name.replace(/\.json$/, "");
      if (isFile && stem !== name && NAME.test(stem)) names.push(stem);
      if (names.length === MAX_BEATS) break;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
}

async function readBeat(path: string): Promise<Beat | null> {
  try {
    using file = await Deno.open(path);
    const bytes = new Uint8Array(MAX_BYTES + 1);
    let length = 0;
    while (length < bytes.length) {
      const read = await file.read(bytes.subarray(length)) ?? 0;
      if (read === 0) break;
      length += read;
    }
    if (length > MAX_BYTES) return null;
    return beatOf(JSON.parse(new TextDecoder().decode(bytes.subarray(0, length))));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

// deno-lint-ignore no-explicit-any -- what lies in the file; every part is checked
function beatOf(found: any): Beat | null {
  if (!isComponent(found?.component) || !isUid(found.uid) || !isTime(found.atMs)) return null;
  if (typeof found.stopped !== "boolean" || !Array.isArray(found.states)) return null;
  if (!["validator", "miner", "aggregator"].includes(found.component)) return null;
  if (found.states.length > MAX_COMPONENTS) return null;
  const states = found.states.map(stateOf);
  if (states.includes(null)) return null;
  const { atMs, component, stopped, uid } = found;
  return { atMs, component, stopped, uid, states };
}

// deno-lint-ignore no-explicit-any -- as above
function stateOf(found: any): ComponentState | null {
  if (!isComponent(found?.component) || !isUid(found.uid) || !isTime(found.sinceMs)) return null;
  const fault = found.fault === null ? null : faultIn(found.fault);
  const past = found.last === null ? null : faultIn(found.last);
  if (fault === undefined || past === undefined) return null;
  const times = past === null || (isTime(found.last.fromMs) && isTime(found.last.untilMs));
  if (!times) return null;
  const last = past === null
    ? null
    : { ...past, fromMs: found.last.fromMs, untilMs: found.last.untilMs };
  const { component, sinceMs, uid } = found;
  return { component, uid, ok: fault === null, fault, sinceMs, last };
}

// deno-lint-ignore no-explicit-any -- as above
function faultIn(found: any): Fault | undefined {
  const { detail, reason } = found ?? {};
  if (!FAULTS.includes(reason as FaultName) || typeof detail !== "string") return undefined;
  return { reason, detail: detail.slice(0, MAX_TEXT) };
}

const isComponent = (name: unknown) => COMPONENTS.includes(name as ComponentName);
const isUid = (uid: unknown) => uid === null || (Number.isInteger(uid) && Number(uid) >= 0);
const isTime = (ms: unknown) => Number.isSafeInteger(ms) && Number(ms) >= 0;
