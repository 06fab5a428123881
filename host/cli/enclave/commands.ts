/**
 * What `deno task enclave:*` does, over an injected runner and clock.
 *
 * @module
 */
import type { Clock } from "../../ledger/clock.ts";
import { type Enclave, NitroCli, type RunOptions } from "./nitro_cli.ts";
import type { Runner } from "./runner.ts";
import type { SpotWatch } from "./spot.ts";

/** What the commands work with. */
export interface EnclaveIo {
  /** Programs. */
  readonly runner: Runner;
  /** Time. */
  readonly clock: Clock;
  /** The instance's own end. */
  readonly spot: SpotWatch;
  /** Takes lines. */
  readonly say: (line: string) => void;
}

/** How often an enclave is looked after. */
const WATCH_MS = 10_000;
/** How often the metadata service is asked; AWS recommends every 5 seconds. */
const SPOT_MS = 5_000;
/** The unit that would start another enclave. */
const WATCHDOG = "vramhub-enclave.service";

/** Start the enclave, unless one runs under this CID. */
export async function start(io: EnclaveIo, options: RunOptions): Promise<void> {
  const cli = new NitroCli(io.runner);
  const running = (await cli.list()).find(({ cid }) => cid === options.cid);
  if (running !== undefined) {
    io.say(`Runs already: ${lineOf(running)}`);
    return;
  }
  const id = await cli.run(options);
  io.say(
    `Started ${id}: vsock:${options.cid}:3000${options.debug ? ", DEBUG: PCR0-2 are zero" : ""}`,
  );
}

/**
 * {@linkcode start}, and again whenever it has ended. A new enclave has a new key: the validator notices, attests and
 * registers it.
 */
export async function watch(
  io: EnclaveIo,
  options: RunOptions,
  signal: AbortSignal,
): Promise<void> {
  const cli = new NitroCli(io.runner);
  await start(io, options);
  while (await pause(io.clock, WATCH_MS, signal)) {
    try {
      if ((await cli.list()).some(({ cid }) => cid === options.cid)) continue;
      io.say("The enclave has ended: starting another");
      await start(io, options);
    } catch (error) {
      io.say((error as Error).message); // tried again at the next look
    }
  }
}

/** Show what runs. Resolves to whether anything does. */
export async function status(io: EnclaveIo): Promise<boolean> {
  const enclaves = await new NitroCli(io.runner).list();
  for (const enclave of enclaves) io.say(lineOf(enclave));
  if (enclaves.length === 0) io.say("No enclave runs");
  return enclaves.length > 0;
}

/** End the enclave under this CID. */
export async function stop(io: EnclaveIo, cid: number): Promise<void> {
  const cli = new NitroCli(io.runner);
  const enclave = (await cli.list()).find((one) => one.cid === cid);
  if (enclave === undefined) {
    io.say(`No enclave runs under CID ${cid}`);
    return;
  }
  await cli.terminate(enclave.id);
  io.say(`Ended ${enclave.id}`);
}

/** Show the console of the enclave under this CID. Resolves to an exit status. */
export async function showConsole(io: EnclaveIo, cid: number): Promise<number> {
  const cli = new NitroCli(io.runner);
  const enclave = (await cli.list()).find((one) => one.cid === cid);
  if (enclave === undefined || !enclave.debug) {
    io.say(
      enclave === undefined
        ? `No enclave runs under CID ${cid}`
        : "Only an enclave that was started with --debug has a console",
    );
    return 1;
  }
  return await cli.console(enclave.id);
}

/**
 * Wait for the notice that this spot instance ends; then end `service`, whose validator journals what it is at,
 * and the enclave. Another instance with the same data directory attests anew and goes on from the journal.
 */
export async function untilSpotEnds(
  io: EnclaveIo,
  cid: number,
  service: string,
  signal: AbortSignal,
): Promise<void> {
  for (let go = true; go; go = await pause(io.clock, SPOT_MS, signal)) {
    let notice;
    try {
      notice = await io.spot.notice();
    } catch (error) {
      io.say((error as Error).message);
      continue;
    }
    if (notice === null) continue;
    io.say(`This instance ends (${notice.action} at ${notice.time}): stopping ${service}`);
    const { code, stderr } = await io.runner.run("systemctl", ["stop", service, WATCHDOG]);
    if (code !== 0) io.say(`Not everything could be stopped: ${stderr.trim()}`);
    await stop(io, cid);
    return;
  }
}

/** Whether to go on after `ms`. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.until(clock.now() + ms, signal);
    return !signal.aborted;
  } catch {
    return false;
  }
}

function lineOf({ cid, cpus, debug, id, memoryMib, state }: Enclave): string {
  return `${id} ${state}, CID ${cid}, ${cpus} CPUs, ${memoryMib} MiB${debug ? ", DEBUG" : ""}`;
}
