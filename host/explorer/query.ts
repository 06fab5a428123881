/**
 * What a path and its query ask for: text from outside, bounded before it is used.
 *
 * @module
 */

/** Parameters by name. */
export type Query = Readonly<Record<string, string>>;

/** A parameter that is missing or out of bounds. */
export class QueryError extends Error {
  /** For this reason. */
  constructor(message: string) {
    super(message);
    this.name = "QueryError";
  }
}

/** An integer from `least` to `most`; `otherwise` where it is not given. */
export function numberOf(
  query: Query,
  name: string,
  least: number,
  most: number,
  otherwise?: number,
): number {
  const text = query[name];
  if (text === undefined && otherwise !== undefined) return otherwise;
  const value = /^\d{1,16}$/.test(text ?? "") ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new QueryError(`Cannot read '${name}': expected an integer from ${least} to ${most}`);
}

/** One of `choices`; `otherwise` where it is not given. */
export function choiceOf<T extends string>(
  query: Query,
  name: string,
  choices: readonly T[],
  otherwise?: T,
): T {
  const text = query[name] ?? otherwise;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new QueryError(`Cannot read '${name}': expected one of ${choices.join(", ")}`);
}

/** Text of at most `most` characters. */
export function textOf(query: Query, name: string, most: number): string {
  const text = query[name];
  if (text !== undefined && text !== "" && text.length <= most) return text;
  throw new QueryError(`Cannot read '${name}': expected 1 to ${most} characters`);
}
