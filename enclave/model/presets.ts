/**
 * The models that ship with the project, by name.
 *
 * @module
 */
import type { ModelPackage } from "./package.ts";

/**
 * The dimensions of a decoder-only transformer: pre-LN, learned positions, GELU, tied head, or whatever the graph of
 * its package says.
 */
export interface ModelConfig {
  /** The preset's name, part of no hash. */
  readonly name: string;
  /** Number of tokens in the vocabulary. */
  readonly vocab: number;
  /** Number of transformer blocks. */
  readonly layers: number;
  /** Width of the residual stream; a multiple of `heads`. */
  readonly dims: number;
  /** Attention heads a block. */
  readonly heads: number;
  /** Positions that are predicted on one page. */
  readonly context: number;
  /** Pages that one run of the graph takes. */
  readonly batch: number;
  /** Where the model comes as a package: its graph and parameters. */
  readonly package?: ModelPackage;
}

/** Every preset by its name: the nano-GPT, a small one for demonstrations, a tiny one for tests. */
export const PRESETS: Readonly<Record<"nano-gpt" | "small" | "tiny", ModelConfig>> = {
  "nano-gpt": {
    name: "nano-gpt",
    vocab: 100277,
    layers: 6,
    dims: 384,
    heads: 6,
    context: 256,
    batch: 4,
  },
  small: { name: "small", vocab: 100277, layers: 2, dims: 64, heads: 4, context: 64, batch: 4 },
  tiny: { name: "tiny", vocab: 256, layers: 2, dims: 64, heads: 2, context: 64, batch: 4 },
};

/**
 * The preset called `name`.
 *
 * @throws {RangeError} where there is none of that name; the message lists those there are.
 */
export function presetByName(name: string): ModelConfig {
  if (Object.hasOwn(PRESETS, name)) return PRESETS[name as keyof typeof PRESETS];
  throw new RangeError(
    `Cannot find a model as 'name' must be one of ${
      Object.keys(PRESETS).join(", ")
    }: current value is ${name}`,
  );
}

/** Tokens on one page of data: `context` inputs, and the last one's target. */
export function pageTokens(config: ModelConfig): number {
  return config.context + 1;
}

/**
 * Refuse dimensions that no graph can be emitted for.
 *
 * @throws {RangeError} where one is not a positive integer, or `heads` does not divide `dims`.
 */
export function checkConfig(config: ModelConfig): void {
  for (const field of ["vocab", "layers", "dims", "heads", "context", "batch"] as const) {
    const value = config[field];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(
        `Cannot build a model as '${field}' must be a positive integer: current value is ${value}`,
      );
    }
  }
  if (config.dims % config.heads !== 0) {
    throw new RangeError(
      `Cannot build a model as 'heads' must divide 'dims' (${config.dims}): current value is ${config.heads}`,
    );
  }
}
