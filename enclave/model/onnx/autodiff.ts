/**
 * Reverse-mode differentiation over an ONNX graph: the forward pass records each operation on a tape, and the tape,
 * read backwards, emits the nodes of the gradient. (The release build of onnxruntime has no gradient operators.)
 *
 * @module
 */
import type { Graph, Value } from "./builder.ts";

/** What a rule may do with the gradients collected so far. */
export interface Gradients {
  /** Add `gradient` to what has been collected for `value`. */
  add(value: Value, gradient: Value): void;
  /** What has been collected for `value`, for rules that add to it in their own node and then `set` it. */
  get(value: Value): Value | undefined;
  /** Replace what has been collected for `value`. */
  set(value: Value, gradient: Value): void;
}

/** Emits the gradients of an operation's inputs, given those of its outputs. */
export type Rule = (outputs: readonly Value[], gradients: Gradients) => void;

/** The operations of a forward pass, in order. */
export class Tape {
  /** The graph that both passes are emitted into. */
  readonly graph: Graph;
  readonly #steps: { outputs: readonly Value[]; rule: Rule }[] = [];

  /** An empty tape over `graph`. */
  constructor(graph: Graph) {
    this.graph = graph;
  }

  /** Record that `outputs` were computed, and how their gradients reach the inputs. */
  record(outputs: readonly Value[], rule: Rule): void {
    this.#steps.push({ outputs, rule });
  }

  /**
   * Emit the backward pass from `output`, whose own gradient is `seed`, and return the gradients of `wrt`.
   *
   * @throws {Error} where `output` does not depend on one of `wrt`.
   */
  gradients(output: Value, seed: Value, wrt: readonly Value[]): Value[] {
    const collected = new Map<string, Value>([[output.name, seed]]);
    const gradients: Gradients = {
      get: (value) => collected.get(value.name),
      set: (value, gradient) => {
        collected.set(value.name, gradient);
      },
      add: (value, gradient) => {
        const before = collected.get(value.name);
        collected.set(
          value.name,
          before ? this.graph.node("Add", [before, gradient], value.shape) : gradient,
        );
      },
    };
    const need = (value: Value) => {
      const found = collected.get(value.name);
      if (!found) throw new Error(`Cannot differentiate: nothing depends on ${value.name}`);
      return found;
    };
    for (const { outputs, rule } of this.#steps.toReversed()) rule(outputs.map(need), gradients);
    return wrt.map(need);
  }
}
