/**
 * Our Python sidecar, started for a test or a bench.
 *
 * @module
 */

const SCRIPT = new URL("../../miner/sidecar/vram_trainer.py", import.meta.url);

/** A sidecar that listens; dispose of it to end it. */
export interface RunningSidecar extends AsyncDisposable {
  /** Its address. */
  readonly url: string;
  /** Its process. */
  readonly pid: number;
}

/** How one is started. */
export interface SidecarOptions {
  /** Its variables, beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Threads of PyTorch; one by default, beside other tests. */
  readonly threads?: number;
}

/** Start the sidecar by `python` on a free port, on the CPU; `args` are flags. @throws {Error} where it ends at once. */
export function startSidecar(
  python: string,
  args: readonly string[],
  { env = {}, threads = 1 }: SidecarOptions = {},
): Promise<RunningSidecar> {
  const script = decodeURIComponent(SCRIPT.pathname);
  return startServer(python, [script, "--port", "0", "--device", "cpu", ...args], {
    OMP_NUM_THREADS: `${threads}`,
    HF_HUB_OFFLINE: "1",
    ...env,
  });
}

/** Start a Python program whose first line of output names its address. @throws {Error} where it ends before it. */
export async function startServer(
  python: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<RunningSidecar> {
  const child = new Deno.Command(python, {
    args: [...args],
    env: { PYTHONDONTWRITEBYTECODE: "1", ...env },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const end = async () => {
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  };
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) {
      await end();
      throw new Error(`${args[0]} ended before it listened`);
    }
    text += value;
  }
  return {
    url: /http:\/\/[\d.]+:\d+/.exec(text)![0],
    pid: child.pid,
    [Symbol.asyncDispose]: end,
  };
}
