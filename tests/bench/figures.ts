/**
 * What a bench measures: figures, each with its unit and the direction in which it gets better.
 *
 * @module
 */

/** One measured figure. */
export interface Figure {
  /** What was measured; with the group it identifies the figure across commits. */
  readonly name: string;
  /** The median, or what the name says. */
  readonly value: number;
  /** Unit of `value`. */
  readonly unit: string;
  /** Which direction is better; `neither` is recorded, and never a regression. */
  readonly better: "less" | "more" | "neither";
}

/** How often something is measured. */
export interface Repeats {
  /** Measured runs; the median of an odd number is one of them. */
  readonly runs?: number;
  /** Runs before them that are not measured. */
  readonly warmup?: number;
}

/** The smallest value that at least a share of `q` of `values` does not exceed. */
export function quantile(values: ArrayLike<number>, q: number): number {
  if (values.length === 0) throw new RangeError("Cannot take a quantile of no values");
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

/** Median milliseconds of `work`. */
export async function medianMs(
  work: () => unknown,
  { runs = 7, warmup = 2 }: Repeats = {},
): Promise<number> {
  const times: number[] = [];
  for (let run = -warmup; run < runs; run++) {
    const started = performance.now();
    await work();
    if (run >= 0) times.push(performance.now() - started);
  }
  return quantile(times, 0.5);
}

/** A time. */
export function ms(name: string, value: number): Figure {
  return { name, value, unit: "ms", better: "less" };
}

/** A share in percent. */
export function percent(name: string, share: number, better: Figure["better"]): Figure {
  return { name, value: 100 * share, unit: "%", better };
}

/** Peak resident memory of a process so far, this one by default, in MiB; nothing where the system does not say. */
export function* peakMemory(name: string, pid: number | "self" = "self"): Iterable<Figure> {
  let status: string;
  try {
    status = Deno.readTextFileSync(`/proc/${pid}/status`);
  } catch {
    return; // no Linux
  }
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib !== undefined) yield { name, value: Number(kib) / 1024, unit: "MiB", better: "less" };
}

/** Numbers in 0 … 1 that are the same in every run (a linear congruential generator, Knuth's constants). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
