/**
 * Finds the processes that a test run left behind, by a marker in their environment (Linux only: elsewhere none are
 * found). A test that clears a child's environment passes the marker on, or goes unseen.
 *
 * @module
 */

/** The environment variable that marks every process of one test run. */
export const MARKER = "VRAMHUB_TEST_RUN";

/** A process that is still running. */
export interface Leftover {
  /** Its process id. */
  pid: number;
  /** Its command line. */
  command: string;
}

/** All processes but this one whose environment holds `MARKER=run`. */
export function leftovers(run: string): Leftover[] {
  if (Deno.build.os !== "linux") return [];
  const found: Leftover[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0");
      if (!environment.includes(`${MARKER}=${run}`)) continue;
      const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
      // A zombie has ended already and has no command line left.
      if (command !== "") found.push({ pid, command });
    } catch {
      // It ended while we looked, or is not ours to read.
    }
  }
  return found;
}

/** Like {@linkcode leftovers}, after giving processes that are ending up to `graceMs` milliseconds. */
export async function leftoversAfter(run: string, graceMs: number): Promise<Leftover[]> {
  const deadline = performance.now() + graceMs;
  for (;;) {
    const found = leftovers(run);
    if (found.length === 0 || performance.now() >= deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** End `left`; one that has ended in the meantime is fine. */
export function end(left: readonly Leftover[]): void {
  for (const { pid } of left) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // Gone already.
    }
  }
}
