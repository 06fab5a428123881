/**
 * `deno task miner cuda:install`: CUDA for the in-process trainer, and what is still missing for it.
 *
 * @module
 */
import { installCuda, InstallError, type InstallEvent } from "../../miner/cuda/install.ts";
import { DownloadError } from "../../miner/cuda/download.ts";
import { deviceName, listDevices } from "../../miner/devices.ts";
import { type CudaArgs, parseCudaArgs } from "./args_cuda.ts";
import { useNativeSha256 } from "./native.ts";

function lineOf(event: InstallEvent): string {
  if (event.event === "unpack") return `${event.wheel}: unpacking`;
  return `${event.wheel}: ${event.bytes >> 20} of ${event.size >> 20} MiB`;
}

/** Install, and print what can be trained on then: 0 where a GPU can, 1 where something is still missing. */
export async function runCudaInstall({ json }: CudaArgs): Promise<number> {
  const onEvent = (event: InstallEvent) =>
    json ? console.log(JSON.stringify(event)) : console.error(lineOf(event));
  const { folder, already, libraries } = await installCuda({ onEvent });
  const findings = (await listDevices()).filter(({ device }) => device.kind === "cuda");
  const devices = findings.map(({ device, name, error }) => ({
    device: deviceName(device),
    ...(name === undefined ? {} : { name }),
    ...(error === undefined ? {} : { code: error.code, error: error.message }),
  }));
  const ready = findings.every(({ error }) => error === undefined);
  if (json) {
    console.log(JSON.stringify({ event: "installed", folder, already, libraries, devices, ready }));
  } else {
    console.log(
      `${libraries.length} libraries ${already ? "are already" : "are now"} in ${folder}`,
    );
    for (const { device, name, error } of devices) {
      console.log(error ?? `${device}: ${name}: deno task miner --device ${device} trains on it`);
    }
  }
  return ready ? 0 : 1;
}

/** `deno task miner cuda:install WORDS`; ends the process. */
export async function cudaInstall(words: readonly string[]): Promise<never> {
  const args = parseCudaArgs(words);
  useNativeSha256();
  try {
    Deno.exit(await runCudaInstall(args));
  } catch (error) {
    if (!(error instanceof InstallError || error instanceof DownloadError)) throw error;
    if (args.json) console.log(JSON.stringify({ event: "error", error: error.message }));
    console.error(`error: ${error.message}`);
    Deno.exit(1);
  }
}
