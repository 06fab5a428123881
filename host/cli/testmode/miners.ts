/**
 * The miners of a test network: companions of the validator's process, or one that joined from another.
 *
 * @module
 */
import type { Clock } from "../../ledger/clock.ts";
import type { Log } from "../../ledger/log.ts";
import type { Bases } from "../../store/bases.ts";
import { resolveUid } from "../../../miner/identity.ts";
import { MinerJournal } from "../../../miner/journal.ts";
import { Miner } from "../../../miner/miner.ts";
import type { GradientSource } from "../../../miner/source.ts";
import type { Role } from "../args.ts";
import { Accomplice, CopierSource, IdleSource, PoisonedSource } from "./companions.ts";
import { fund, type TestNetwork, wallet } from "./network.ts";
import type { TestStores } from "./stores.ts";

/** The sources of `roles`, in order: `honest` gives that of the miner at an index. A copier's accomplice is the first. */
export function sourcesOf(
  roles: readonly Role[],
  { ledger, model }: TestNetwork,
  honest: (index: number) => GradientSource,
  clock: Clock,
): GradientSource[] {
  const first = roles.indexOf("honest");
  const accomplice = first >= 0 && roles.includes("copier")
    ? new Accomplice(honest(first))
    : undefined;
  return roles.map((role, i): GradientSource => {
    if (role === "idle") return new IdleSource();
    if (role === "poisoned") return new PoisonedSource(model);
    if (role === "copier") {
      if (accomplice === undefined) {
        throw new TypeError("Cannot start a copier: there is no honest miner to copy");
      }
      return new CopierSource(accomplice, ledger, clock);
    }
    return i === first && accomplice !== undefined ? accomplice : honest(i);
  });
}

/** The folder of the miner called `name`. */
export function homeOf({ dir }: Pick<TestNetwork, "dir">, name: string): string {
  return `${dir}/miners/${name}`;
}

/** A miner with a slot. */
export interface OpenMiner {
  /** The slot. */
  readonly uid: number;
  /** Its loop. */
  readonly miner: Miner;
  /** Publish the read keys of its bucket, where it has any: once the slot is its own, with the window after. */
  publish(): Promise<void>;
}

/** A miner called `name`, registered if need be; it uploads to `stores`. */
export async function openMiner(
  name: string,
  source: GradientSource,
  network: TestNetwork,
  bases: Bases,
  stores: TestStores,
  clock: Clock,
  log: Log,
): Promise<OpenMiner> {
  const { beacon, dir, ledger, pages } = network;
  const owner = await wallet(dir, name);
  const home = homeOf(network, name);
  await Deno.mkdir(home, { recursive: true });
  await fund(network, owner);
  const file = `${home}/.vramhub-uid`;
  const env = Deno.env.get("VRAMHUB_MINER_UID");
  const uid = await resolveUid(ledger, owner, { env, file }, log);
  const journal = await MinerJournal.open(`${home}/journal`);
  const miner = new Miner({
    ledger,
    store: stores.uploads,
    bases,
    pages,
    beacon,
    clock,
    journal,
    owner,
    uid,
    source,
    log,
  });
  return { uid, miner, publish: () => stores.publish(uid, owner, home, log) };
}
