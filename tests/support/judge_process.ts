/**
 * Finds the process of a test network's judge, to stop it as a machine would.
 *
 * @module
 */

/** Its id: the folder of the judge's socket is in a note of the network's folder, and in the process's command. */
export async function judgeProcess(dir: string): Promise<number> {
  const socket = await Deno.readTextFile(`${dir}/validator-0.socket`);
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const command = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (command.includes(socket)) return Number(name);
  }
  throw new Error("Cannot find the judge's process");
}
