/**
 * Runs the same work in PyTorch, where it is installed.
 *
 * @module
 */
import type { Figure } from "./figures.ts";

/** A part of the script. */
export type TorchPart = "loss" | "train" | "topk";

/** What a part of `pytorch.py` prints. */
interface Answer {
  readonly torch: string;
  readonly threads: number;
  readonly figures: Readonly<Record<string, number>>;
}

const SCRIPT = decodeURIComponent(new URL("./pytorch.py", import.meta.url).pathname);

/** Version and threads, or why there are none. */
export type Installed = { readonly version: string } | { readonly missing: string };

/** Whether `python` has PyTorch. */
export async function findTorch(python: string): Promise<Installed> {
  try {
    const { success, stdout } = await new Deno.Command(python, {
      args: [
        "-c",
        "import torch; print(f'{torch.__version__}, {torch.get_num_threads()} threads')",
      ],
      stderr: "null",
    }).output();
    if (success) return { version: new TextDecoder().decode(stdout).trim() };
    return { missing: `${python} has no PyTorch` };
  } catch {
    return { missing: `there is no ${python}` };
  }
}

/** PyTorch's time and peak memory for one part beside ours, as a ratio; `ours` are the group's figures. */
export async function besideTorch(
  python: string,
  part: TorchPart,
  ours: readonly Figure[],
): Promise<Figure[]> {
  const { success, stdout } = await new Deno.Command(python, {
    args: [SCRIPT, part],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot compare with PyTorch: ${part} failed in ${python}`);
  const { figures }: Answer = JSON.parse(new TextDecoder().decode(stdout));
  return Object.entries(figures).flatMap(([name, theirs]): Figure[] => {
    const own = ours.find((figure) => figure.name === name);
    if (own === undefined) throw new Error(`Cannot compare with PyTorch: '${name}' is not ours`);
    const than = own.unit === "ms" ? "times as fast as" : "times as small as";
    return [
      { name: `${name}: PyTorch eager`, value: theirs, unit: own.unit, better: "neither" },
      { name: `${name}: ${than} PyTorch`, value: theirs / own.value, unit: "×", better: "more" },
    ];
  });
}
