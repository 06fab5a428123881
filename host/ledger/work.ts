/**
 * Pieces of work with a name: a window, and each of its phases. Whoever watches a process (logs that say in which window
 * they were written, a tracer) is told of them; without a watcher nothing happens.
 *
 * @module
 */

/** What a piece of work is about, e.g. `{ window: 3, uid: 1 }`. */
export type WorkFields = Readonly<Record<string, string | number | boolean>>;

/** Runs `work`, and notes when it began, when and how it ended. What it throws passes through. */
export type WorkWatcher = <T>(
  name: string,
  fields: WorkFields,
  work: () => Promise<T>,
) => Promise<T>;

let watcher: WorkWatcher | undefined;

/** Have the work of this process watched, or no more. */
export function watchWork(by: WorkWatcher | undefined): void {
  watcher = by;
}

/** `work`, under the eyes of whoever watches. */
export function during<T>(name: string, fields: WorkFields, work: () => Promise<T>): Promise<T> {
  return watcher === undefined ? work() : watcher(name, fields, work);
}
