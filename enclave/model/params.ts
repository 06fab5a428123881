/**
 * The parameter manifest: the name, the shape and the place of every tensor in one flat float32 array θ.
 *
 * @module
 */
import { checkConfig, type ModelConfig } from "./presets.ts";

/** One tensor of the model. */
export interface Param {
  /** GPT-2's name, e.g. `h.0.attn.c_attn.weight`. */
  readonly name: string;
  /** Dimensions, row-major; a matrix is [inputs, outputs], as in GPT-2. */
  readonly shape: readonly number[];
  /** Where it starts in θ, in elements. */
  readonly offset: number;
  /** How many elements it has. */
  readonly size: number;
}

/** Every tensor of a model, names ascending, laid out in that order without gaps. */
export interface Manifest {
  /** The tensors, names strictly ascending by code unit. */
  readonly params: readonly Param[];
  /** Elements in θ. */
  readonly total: number;
}

/** Lay `shapes` out in ascending order of their names. */
export function manifestOf(shapes: Readonly<Record<string, readonly number[]>>): Manifest {
  const params: Param[] = [];
  let offset = 0;
  for (const name of Object.keys(shapes).sort()) {
    const shape = shapes[name]!;
    const size = shape.reduce((a, b) => a * b, 1);
    params.push({ name, shape, offset, size });
    offset += size;
  }
  return { params, total: offset };
}

/**
 * The parameters that are trained, θ: those that the package of `config` names; without one, all of the GPT: token (`wte`, also the head) and position (`wpe`) embeddings,
 * per block two layer norms, attention (`c_attn`: queries, keys, values; `c_proj`) and the MLP of four times the
 * width, a final layer norm; every matrix but the embeddings has a bias.
 */
export function paramManifest(config: ModelConfig): Manifest {
  if (config.package !== undefined) return config.package.trainable;
  checkConfig(config);
  const { dims: c } = config;
  const shapes: Record<string, readonly number[]> = {
    "wte.weight": [config.vocab, c],
    "wpe.weight": [config.context, c],
    "ln_f.weight": [c],
    "ln_f.bias": [c],
  };
  for (let i = 0; i < config.layers; i++) {
    const h = `h.${i}`;
    shapes[`${h}.ln_1.weight`] = [c];
    shapes[`${h}.ln_1.bias`] = [c];
    shapes[`${h}.attn.c_attn.weight`] = [c, 3 * c];
    shapes[`${h}.attn.c_attn.bias`] = [3 * c];
    shapes[`${h}.attn.c_proj.weight`] = [c, c];
    shapes[`${h}.attn.c_proj.bias`] = [c];
    shapes[`${h}.ln_2.weight`] = [c];
    shapes[`${h}.ln_2.bias`] = [c];
    shapes[`${h}.mlp.c_fc.weight`] = [c, 4 * c];
    shapes[`${h}.mlp.c_fc.bias`] = [4 * c];
    shapes[`${h}.mlp.c_proj.weight`] = [4 * c, c];
    shapes[`${h}.mlp.c_proj.bias`] = [c];
  }
  return manifestOf(shapes);
}
