/**
 * What a graph would take to run, by its declared shapes: values held at once, and work.
 *
 * @module
 */
import { Refusal } from "../../protocol/refusal.ts";

/** Elements of one value, and of all that nodes have written and others still read, at most: 2 GiB of float32. */
export const MAX_ELEMENTS: number = 2 ** 29;
/** Multiply-adds, or elements read or written, of one run at most: minutes on the smallest instance. */
const MAX_WORK = 2 ** 43;

/** What a node reads and writes. */
export interface Step {
  /** Its operator. */
  readonly operator: string;
  /** Names of what it reads. */
  readonly inputs: readonly string[];
  /** Names of what it writes. */
  readonly outputs: readonly string[];
}

/** Elements of a value of this shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/**
 * Refuse a graph that would hold or do too much, run in its own order.
 *
 * @param shapes The shape of every name in `steps`.
 * @throws {Refusal} `graph_too_large`.
 */
export function checkCost(
  steps: readonly Step[],
  shapes: ReadonlyMap<string, readonly number[]>,
): void {
  const size = (name: string) => elementsOf(shapes.get(name)!);
  const last = new Map(steps.flatMap(({ inputs }, i) => inputs.map((name) => [name, i])));
  const alive = new Map<string, number>();
  let [held, work] = [0, 0];
  steps.forEach((step, i) => {
    const { inputs, outputs } = step;
    for (const name of outputs) {
      alive.set(name, size(name));
      held += size(name);
    }
    work += workOf(step, shapes);
    if (held > MAX_ELEMENTS) throw tooLarge(`it holds ${held} elements at once`, MAX_ELEMENTS);
    if (work > MAX_WORK) throw tooLarge(`a run takes ${work} operations`, MAX_WORK);
    for (const name of [...inputs, ...outputs]) {
      if ((last.get(name) ?? i) > i) continue;
      held -= alive.get(name) ?? 0;
      alive.delete(name);
    }
  });
}

/** A product has the length of its sums besides the size of its output; everything else looks at each element once. */
function workOf(
  { inputs, operator, outputs }: Step,
  shapes: ReadonlyMap<string, readonly number[]>,
): number {
  const [first, output] = [shapes.get(inputs[0] ?? "") ?? [], shapes.get(outputs[0] ?? "") ?? []];
  if (operator === "MatMul") return elementsOf(output) * (first.at(-1) ?? 1);
  if (operator === "Gemm") return elementsOf(first) * (output.at(-1) ?? 1);
  return [...inputs, ...outputs].reduce((sum, name) => sum + elementsOf(shapes.get(name)!), 0);
}

function tooLarge(why: string, most: number): Refusal {
  return new Refusal(
    "graph_too_large",
    `Cannot take the graph: ${why}, ${most} is the limit`,
    "package",
  );
}
