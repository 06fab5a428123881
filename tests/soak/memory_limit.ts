/**
 * A real limit on a process's memory, by a control group of its own.
 *
 * @module
 */

/** A limit that holds; disposing of it takes its group away, once the process has ended. */
export interface MemoryLimit extends Disposable {
  /** What it is, in words. */
  readonly said: string;
}

/** Where each kind of control group is set up, and what its file for the limit is called. */
const GROUPS = [
  { root: "/sys/fs/cgroup/memory", file: "memory.limit_in_bytes" }, // version 1
  { root: "/sys/fs/cgroup", file: "memory.max" }, // version 2
] as const;

/**
 * Let process `pid` take no more than `bytes` from now on, what it holds already included: past that the kernel ends
 * it. Undefined where this user may not make control groups.
 */
export async function limitMemory(pid: number, bytes: number): Promise<MemoryLimit | undefined> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  // What was taken before a process joins is not counted to its group.
  const held = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1_024;
  for (const { root, file } of GROUPS) {
    const group = `${root}/vramhub-${crypto.randomUUID()}`;
    try {
      await Deno.mkdir(group);
    } catch {
      continue;
    }
    try {
      await Deno.writeTextFile(`${group}/${file}`, String(bytes - held));
      await Deno.writeTextFile(`${group}/cgroup.procs`, String(pid));
      return {
        said: `control group ${file}`,
        [Symbol.dispose]: () => Deno.removeSync(group),
      };
    } catch {
      await Deno.remove(group);
    }
  }
  return undefined;
}
