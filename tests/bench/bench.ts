/**
 * `deno task bench`: measures each group in a process of its own, PyTorch's part right after ours, prints a table
 * and keeps a record of the commit.
 *
 * @module
 */
import { findPython } from "../support/python.ts";
import { type GroupName, GROUPS, parseBenchArgs } from "./args.ts";
import type { Figure } from "./figures.ts";
import { cacheFolder, commitOf, describeMachine, type Machine } from "./machine.ts";
import { besideTorch, findTorch, type TorchPart } from "./pytorch.ts";
import { type BenchRecord, describeChanges, number, parseRecord } from "./record.ts";

const ROOT = new URL("../../", import.meta.url);
const GROUP_ENTRY = decodeURIComponent(new URL("./group.ts", import.meta.url).pathname);
/** Which part of `pytorch.py` does the work of a group. */
const TORCH: Readonly<Partial<Record<GroupName, TorchPart>>> = {
  loss: "loss",
  training: "train",
  compression: "topk",
};

function header(machine: Machine, commit: string): string {
  const { cpu, cores, flags, memoryGib, system, deno, onnxruntime } = machine;
  return [
    `${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}; Deno ${deno}, onnxruntime ${onnxruntime}`,
    `flags: ${flags.join(" ")}`,
    `commit: ${commit}`,
  ].join("\n");
}

/** Run one group in a child that may start `python`; `show` gets each figure as it comes. */
async function measure(
  group: GroupName,
  python: string,
  show: (figure: Figure) => void,
): Promise<Figure[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      "--no-check",
      GROUP_ENTRY,
      group,
    ],
    cwd: ROOT,
    env: { VRAMHUB_PYTHON: python },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const figures: Figure[] = [];
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const figure: Figure = JSON.parse(line);
      figures.push(figure);
      show(figure);
    }
  }
  if (!(await child.status).success) throw new Error(`Cannot go on: the group ${group} failed`);
  return figures;
}

function showFigure({ name, value, unit }: Figure): void {
  console.log(`${name.padEnd(72)} ${number(value).padStart(10)} ${unit}`);
}

if (import.meta.main) {
  const args = parseBenchArgs(Deno.args);
  const before = args.against === undefined
    ? undefined
    : parseRecord(await Deno.readTextFile(args.against));
  const commit = await commitOf(ROOT);
  const machine = await describeMachine(ROOT);
  const load = () => Deno.loadavg()[0] ?? 0;
  const atStart = load();
  const date = new Date().toISOString();
  console.log(header(machine, commit));
  const python = args.python ?? await findPython() ?? "python3";
  const torch = await findTorch(python);
  console.log("missing" in torch ? `PyTorch: ${torch.missing}` : `PyTorch: ${torch.version}`);
  const figures: Figure[] = [];
  for (const group of GROUPS.filter((name) => args.only.length === 0 || args.only.includes(name))) {
    console.log(`\n${group}`);
    const ours = await measure(group, python, showFigure);
    figures.push(...ours);
    const part = TORCH[group];
    if (part === undefined || "missing" in torch) continue;
    const beside = await besideTorch(python, part, ours);
    beside.forEach(showFigure);
    figures.push(...beside);
  }
  const record: BenchRecord = {
    version: 1,
    commit,
    date,
    machine,
    load: [atStart, load()],
    beside: "version" in torch ? `PyTorch ${torch.version}` : null,
    figures,
  };
  const kept = cacheFolder("vramhub", (name) => Deno.env.get(name), Deno.build.os);
  const file = args.json ?? `${kept}/bench/${commit}.json`;
  if (args.json === undefined) await Deno.mkdir(`${kept}/bench`, { recursive: true });
  await Deno.writeTextFile(file, JSON.stringify(record, null, 2) + "\n");
  console.log(
    `\nLoad of the machine ${
      record.load.map((load) => load.toFixed(2)).join(" to ")
    }; kept in ${file}`,
  );
  if (before !== undefined) console.log(describeChanges(record, before));
}
