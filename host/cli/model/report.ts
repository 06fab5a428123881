/**
 * A fit for people.
 *
 * @module
 */
import type { Hparams } from "../../../enclave/protocol/hparams.ts";
import { count } from "../present/format.ts";
import type { Fit, InstanceFit } from "./fit.ts";
import type { ModelShape } from "./manifest.ts";

function bytes(value: number): string {
  const units = [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]] as const;
  const [unit, size] = units.find(([, size]) => value >= size) ?? ["B", 1];
  return size === 1 ? `${value} B` : `${(value / size).toFixed(1)} ${unit}`;
}

function time(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1_000).toFixed(0)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

function row({ cpus, enclaveBytes, fits, lossMs, miners, name }: InstanceFit): string {
  const cells = [
    name.padEnd(12),
    `${cpus - 2}`.padStart(4),
    bytes(enclaveBytes).padStart(10),
    time(lossMs).padStart(9),
  ];
  return `  ${cells.join(" ")} ${(fits ? count(miners) : "too small").padStart(10)}`;
}

/** The lines: what it needs, what each instance does, and the verdict. */
export function fitLines(
  shape: ModelShape,
  fit: Fit,
  { hparams, miners }: { readonly hparams: Hparams; readonly miners: number },
): string[] {
  const { batch, context, dims, layers, vocab } = shape.dimensions;
  const [one, two] = fit.gradientBytes;
  const { faults, instance } = fit;
  const verdict = faults.length > 0
    ? faults.map((fault) => `Cannot be judged: ${fault}`)
    : instance === undefined
    ? [`Cannot judge ${miners} gradients a window on any of these: ask for fewer, --miners N`]
    : [`Takes a ${instance.name} to judge ${miners} gradients a window`];
  return [
    `${shape.name}: ${layers} blocks of ${dims}, ${
      count(vocab)
    } tokens, pages of ${context}, batches of ${batch}`,
    "All figures are estimates: deno task bench measures",
    `  trained      ${count(fit.trainable)} parameters (${shape.trained}), a base of ${
      bytes(fit.baseBytes)
    }`,
    `  frozen       ${count(fit.frozen)} parameters, ${bytes(fit.frozenBytes)}`,
    `  gradient     ${bytes(one)}, or ${bytes(two)} in codec 2, at topk_bps ${hparams.topk_bps}: ${
      count(fit.entries)
    } entries`,
    `  one loss     ${fit.gflop.toPrecision(3)} GFLOP`,
    `  judge        ${bytes(fit.memoryBytes)} of memory, ${time(fit.judgeMs)} for a window of ${
      time(hparams.window_ms)
    }`,
    "",
    "  instance     CPUs     memory  one loss  gradients a window",
    ...fit.instances.map(row),
    "",
    ...verdict,
  ];
}
