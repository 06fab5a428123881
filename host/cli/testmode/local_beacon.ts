/**
 * The beacon of a test network: a key in its folder, in drand's form. It is a module of its own because whoever joins the
 * network of a folder needs it, and nothing of what makes its SIMULATED root.
 *
 * @module
 */
import { LocalBeacon } from "../../beacon.ts";
import type { Clock } from "../../ledger/clock.ts";

/** Where a test network says what of it is on no ledger. */
export const aboutPath = (dir: string): string => `${dir}/network.json`;

/** What of it there is about the beacon. */
export interface BeaconAbout {
  /** When its first round was due. */
  readonly genesisMs: number;
  /** Between two rounds. */
  readonly periodMs: number;
}

/** Whether the network of `dir` has a beacon of its own there. */
export async function hasLocalBeacon(dir: string): Promise<boolean> {
  const found = await Deno.stat(aboutPath(dir)).catch(() => null);
  return found !== null;
}

/** The beacon of the network in `dir`, of which `about` is known or read. */
export async function openLocalBeacon(
  dir: string,
  clock: Clock,
  about?: BeaconAbout,
): Promise<LocalBeacon> {
  const { genesisMs, periodMs } = about ??
    JSON.parse(await Deno.readTextFile(aboutPath(dir))) as BeaconAbout;
  await Deno.mkdir(`${dir}/keys`, { recursive: true, mode: 0o700 });
  return await LocalBeacon.open(`${dir}/keys`, { genesisMs, periodMs, now: () => clock.now() });
}
