/**
 * ModelProtos made by hand, for tests: one that a judge takes, and every kind that it does not.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { Message } from "../../enclave/model/onnx/proto.ts";

/** A ValueInfoProto of element type `type`. */
export function value(name: string, type: number, shape: readonly (number | Message)[]): Message {
  const dims = new Message();
  for (const d of shape) dims.bytes(1, d instanceof Message ? d : new Message().int(1, d));
  const tensor = new Message().int(1, type).bytes(2, dims);
  return new Message().bytes(1, name).bytes(2, new Message().bytes(1, tensor));
}

/** A NodeProto with one output. */
export function node(
  op: string,
  inputs: readonly string[],
  output: string,
  attribute?: Message,
): Message {
  const message = new Message();
  for (const name of inputs) message.bytes(1, name);
  message.bytes(2, output).bytes(4, op);
  return attribute === undefined ? message : message.bytes(5, attribute);
}

/** Parts of a graph that differ from one that is taken. */
export interface Parts {
  /** Messages in place of the usual ones. */
  readonly nodes?: readonly (Message | Uint8Array)[];
  /** Messages in place of the usual ones. */
  readonly inputs?: readonly Message[];
  /** Messages in place of the usual ones. */
  readonly outputs?: readonly Message[];
  /** Messages in place of the usual ones. */
  readonly values?: readonly Message[];
  /** Messages in place of the usual ones. */
  readonly tensors?: readonly Message[];
  /** Messages in place of the usual ones. */
  readonly opsets?: readonly Message[];
  /** Adds fields. */
  readonly more?: (model: Message, graph: Message) => void;
  /** IR version. */
  readonly ir?: number;
}

/** picked = w[tokens] */
export const GATHER: Message = node("Gather", ["w", "tokens"], "picked");
/** losses = −picked */
export const NEG: Message = node("Neg", ["picked"], "losses");
/** The first input. */
export const TOKENS: Message = value("tokens", 7, [1, 2]);
/** The second input. */
export const W: Message = value("w", 1, [3]);
/** The output. */
export const LOSSES: Message = value("losses", 1, [1, 2]);
/** What lies between. */
export const PICKED: Message = value("picked", 1, [1, 2]);
/** ai.onnx 20. */
export const OPSET: Message = new Message().bytes(1, "").int(2, 20);

/** A graph that is taken, but for `parts`. */
export function graphOf(parts: Parts = {}): Bytes {
  const { nodes = [GATHER, NEG], inputs = [TOKENS, W], outputs = [LOSSES] } = parts;
  const { values = [PICKED], tensors = [], opsets = [OPSET], ir = 10, more } = parts;
  const graph = new Message();
  for (const message of nodes) graph.bytes(1, message);
  for (const message of tensors) graph.bytes(5, message);
  for (const message of inputs) graph.bytes(11, message);
  for (const message of outputs) graph.bytes(12, message);
  for (const message of values) graph.bytes(13, message);
  const model = new Message().int(1, ir);
  for (const message of opsets) model.bytes(8, message);
  more?.(model, graph);
  return model.bytes(7, graph).finish();
}
