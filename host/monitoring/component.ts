/**
 * What a network is made of as its operator sees it: components that work, or do not for a reason that has a name.
 *
 * @module
 */
/** Kinds of components. */
export const COMPONENTS = [
  "validator",
  "miner",
  "aggregator",
  "judge",
  "store",
  "ledger",
  "trainer",
] as const;

/** A kind of component. */
export type ComponentName = typeof COMPONENTS[number];

/** Why a component does not work: few words, since each is a label of a metric. */
export const FAULTS = [
  /** Nobody answers at its address. */
  "unreachable",
  /** It was asked and did not answer in time. */
  "timeout",
  /** It refuses this party's credentials or right. */
  "denied",
  /** Its process ended. */
  "ended",
  /** The file or folder that it lies in is not there. */
  "gone",
  /** Another file stands where its own was. */
  "replaced",
  /** Another process holds it. */
  "locked",
  /** It answers, under a key that is not attested. */
  "not_attested",
  /** It gave no sign of life. */
  "silent",
  /** Somebody stopped it. */
  "stopped",
  /** Anything else; the detail says what. */
  "failed",
] as const;

/** A reason of {@link FAULTS}. */
export type FaultName = typeof FAULTS[number];

/** A fault with what an operator needs to act on it. */
export interface Fault {
  /** Stable. */
  readonly reason: FaultName;
  /** For people. */
  readonly detail: string;
}

/** A fault that has passed. */
export interface PastFault extends Fault {
  /** When it was seen first. */
  readonly fromMs: number;
  /** When the component worked again. */
  readonly untilMs: number;
}

/** How a component is. Times are the machine's, in milliseconds since 1970. */
export interface ComponentState {
  /** Which kind. */
  readonly component: ComponentName;
  /** The slot that it works for, or null where several share it. */
  readonly uid: number | null;
  /** Whether it works. */
  readonly ok: boolean;
  /** Why not, or null. */
  readonly fault: Fault | null;
  /** Since when it is as it is. */
  readonly sinceMs: number;
  /** Its last fault that has passed, or null. */
  readonly last: PastFault | null;
}

/** A component, and the party that said so. */
export interface ToldState extends ComponentState {
  /** Name of the party, e.g. `validator-0`. */
  readonly by: string;
}

/** `judge 0`, or `store`. */
export function nameOf({ component, uid }: Pick<ComponentState, "component" | "uid">): string {
  return uid === null ? component : `${component} ${uid}`;
}
