/**
 * Which log lines are heard: levels, by module.
 *
 * @module
 */

/** Levels in which a line may be said, the softest first; `off` says nothing at all. */
export const LEVELS = ["debug", "info", "warn", "error", "off"] as const;

/** A level of {@link LEVELS}. */
export type Threshold = typeof LEVELS[number];

/** From which level on each module is heard. */
export interface Levels {
  /** Of every module without an own one. */
  readonly base: Threshold;
  /** By module: `vramhub_miner` stands for `vramhub_miner::miner` too. */
  readonly modules: Readonly<Record<string, Threshold>>;
}

/** Most characters of one setting of levels. */
const MAX_LEVELS = 1_000;

/**
 * Levels out of `info,vramhub_miner=debug`, as in the seeds' RUST_LOG. A module is one of ours (`vramhub_miner`, with
 * or without `::part`) or any other name; `trace` is another word for `debug`, `warning` for `warn`.
 *
 * @param lenient What other programs understand is passed over: a variable that they read, too.
 * @throws {RangeError} what is expected.
 */
export function parseLevels(text: string, base: Threshold, lenient = false): Levels {
  const modules: Record<string, Threshold> = Object.create(null);
  let found = base;
  if (text.length > MAX_LEVELS) throw new RangeError(`expected at most ${MAX_LEVELS} characters`);
  for (const part of text.split(",").map((one) => one.trim()).filter((one) => one !== "")) {
    const [, module, word] = /^(?:([\w:-]+)=)?(\w+)$/.exec(part) ?? [];
    const level = levelOf(word);
    if (level === undefined) {
      if (lenient) continue;
      throw new RangeError(
        `expected levels (${LEVELS.join(", ")}) as in info,vramhub_miner=debug; ${
          JSON.stringify(part)
        } is none`,
      );
    }
    if (module === undefined) found = level;
    else modules[module] = level;
  }
  return { base: found, modules };
}

function levelOf(word: string | undefined): Threshold | undefined {
  const name = word?.toLowerCase();
  const plain = name === "trace" ? "debug" : name === "warning" ? "warn" : name;
  return LEVELS.find((level) => level === plain);
}
