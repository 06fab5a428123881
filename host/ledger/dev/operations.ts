/**
 * An area of the ledger as a table of functions over a call's state, checked against the area's interface, and
 * how such a table becomes the methods of the ledger.
 *
 * @module
 */
import type { State } from "./state.ts";

/** For each method of `L` a function that does it at once, on the state of the call. */
export type Operations<L> = {
  readonly [K in keyof L]: L[K] extends (...args: infer A) => Promise<infer R>
    ? (state: State, ...args: A) => R
    : never;
};

/** Runs a function in one transaction. */
export type Runner = <T>(run: (state: State) => T) => Promise<T>;

/** The methods of `operations`, each a transaction of `runner`. */
export function bind<L>(operations: Operations<L>, runner: Runner): L {
  const methods = Object.entries(operations).map(([name, operation]) => {
    const apply = operation as (state: State, ...args: unknown[]) => unknown;
    return [name, (...args: unknown[]) => runner((state) => apply(state, ...args))];
  });
  return Object.fromEntries(methods) as L;
}
