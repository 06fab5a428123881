/**
 * The settings of a command: a flag stands before the environment, that before `./.env`, and that before
 * `~/.vramhub/.env`. A value is checked when it is asked for, so that a miner does not fail over a validator's.
 *
 * @module
 */
import { MAX_DOTENV_BYTES, parseDotenv } from "./dotenv.ts";
import { ConfigError } from "./error.ts";
import { nearest } from "./nearest.ts";
import {
  environmentNames,
  isSecret,
  NAMES,
  type ValueOf,
  type Variable,
  type VariableName,
  VARIABLES,
} from "./variables.ts";

/** Where settings come from, one layer. */
export interface Layer {
  /** For people, e.g. `the environment`. */
  readonly name: string;
  /** By whole name. */
  readonly values: Readonly<Record<string, string>>;
}

/** A setting as it was found. */
export interface Found {
  /** The text. */
  readonly text: string;
  /** For people, e.g. `VRAMHUB_NETWORK in ./.env`. */
  readonly source: string;
}

/** A setting as it may be printed. */
export interface Shown {
  /** `VRAMHUB_…`. */
  readonly name: string;
  /** The value, or `(secret)`. */
  readonly value: string;
  /** Where it is from. */
  readonly source: string;
}

/** What stands in place of a secret. */
export const REDACTED = "(secret)";

/** Flags that were given, by the setting's name. */
export type Flags = { readonly [N in VariableName]?: string | undefined };

/** The settings of one command. */
export class Config {
  readonly #found = new Map<VariableName, Found>();

  /**
   * Settings out of `layers`, the first of which wins.
   *
   * @throws {ConfigError} `alias_conflict` where a layer has two values for one setting.
   */
  constructor(layers: readonly Layer[], flags: Flags = {}) {
    for (const name of NAMES) {
      const given = flags[name];
      const found = given === undefined
        ? firstOf(name, layers)
        : { text: given, source: flagOf(name) };
      if (found !== undefined) this.#found.set(name, found);
    }
  }

  /**
   * The value of a setting, its default, or undefined.
   *
   * @throws {ConfigError} `bad_value`.
   */
  get<N extends VariableName>(name: N): ValueOf<N> | undefined {
    const variable: Variable<unknown> = VARIABLES[name];
    const text = this.#found.get(name)?.text ?? variable.default;
    if (text === undefined) return undefined;
    try {
      return variable.type.parse(text) as ValueOf<N>;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const value = isSecret(name) ? "" : `: current value is ${JSON.stringify(text)}`;
      const source = this.sourceOf(name);
      throw new ConfigError("bad_value", `Cannot use ${source}: ${error.message}${value}`);
    }
  }

  /**
   * The value of a setting that is needed to do `what`.
   *
   * @param flag The command's own option for it, where there is one.
   * @throws {ConfigError} `missing` with every name that would do, `bad_value`.
   */
  require<N extends VariableName>(name: N, what: string, flag?: string): ValueOf<N> {
    const value = this.get(name);
    if (value !== undefined) return value;
    const give = flag === undefined ? "" : `give ${flag}, or `;
    const { doc } = VARIABLES[name];
    throw new ConfigError("missing", `Cannot ${what}: ${give}set VRAMHUB_${name}: ${doc}`);
  }

  /** Whether it was set, rather than left to its default. */
  has(name: VariableName): boolean {
    return this.#found.has(name);
  }

  /** Where a setting is from, for people. */
  sourceOf(name: VariableName): string {
    return this.#found.get(name)?.source ?? `the default of VRAMHUB_${name}`;
  }

  /** Everything that was set, secrets redacted. */
  shown(): Shown[] {
    return [...this.#found].map(([name, { text, source }]) => ({
      name: `VRAMHUB_${name}`,
      value: isSecret(name) ? REDACTED : text,
      source,
    }));
  }

  /** `message` with every secret of these settings taken out. */
  redact(message: string): string {
    let clean = message;
    for (const [name, { text }] of this.#found) {
      if (isSecret(name) && text.length > 3) clean = clean.replaceAll(text, REDACTED);
    }
    return clean;
  }
}

/** The flag of a setting: `--data-dir`. */
function flagOf(name: VariableName): string {
  return `--${name.toLowerCase().replaceAll("_", "-")}`;
}

/** Empty means unset: that is how an `.env.example` leaves a line open. */
function firstOf(name: VariableName, layers: readonly Layer[]): Found | undefined {
  for (const layer of layers) {
    const set = environmentNames(name).filter((key) => (layer.values[key] ?? "") !== "");
    const [first] = set;
    if (first === undefined) continue;
    const text = layer.values[first]!;
    const other = set.find((key) => !sameValue(name, layer.values[key]!, text));
    if (other !== undefined) {
      throw new ConfigError(
        "alias_conflict",
        `Cannot choose between ${first} and ${other} in ${layer.name}: they name one setting and ` +
          "differ; remove one",
      );
    }
    return { text, source: `${first} in ${layer.name}` };
  }
  return undefined;
}

/** `1` and `true` are one value of a flag. */
function sameValue(name: VariableName, a: string, b: string): boolean {
  if (a === b) return true;
  try {
    const { parse } = VARIABLES[name].type;
    return JSON.stringify(parse(a)) === JSON.stringify(parse(b));
  } catch {
    return false;
  }
}

/** What of the machine settings come from. */
export interface Surroundings {
  /** The environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The working directory. */
  readonly cwd: string;
  /** The user's folder, or undefined. */
  readonly home: string | undefined;
}

/** Paths of the files that are read, the first of which wins. */
export function dotenvPaths({ cwd, home }: Surroundings): { name: string; path: string }[] {
  return [
    { name: "./.env", path: `${cwd}/.env` },
    ...(home === undefined ? [] : [{ name: "~/.vramhub/.env", path: `${home}/.vramhub/.env` }]),
  ];
}

/**
 * The settings of a command that was started in `surroundings`.
 *
 * @throws {ConfigError} `bad_line`, `bad_file`, `alias_conflict`.
 */
export function loadConfig(surroundings: Surroundings, flags: Flags = {}): Config {
  return new Config(layersOf(surroundings), flags);
}

function layersOf(surroundings: Surroundings): Layer[] {
  const layers: Layer[] = [{ name: "the environment", values: surroundings.env }];
  for (const { name, path } of dotenvPaths(surroundings)) {
    const source = readFile(path, name);
    if (source === undefined) continue;
    const values: Record<string, string> = Object.create(null);
    for (const line of parseDotenv(source, name)) values[line.name] = line.value;
    layers.push({ name, values });
  }
  return layers;
}

function readFile(path: string, name: string): string | undefined {
  try {
    if (Deno.statSync(path).size > MAX_DOTENV_BYTES) {
      throw new ConfigError("bad_file", `Cannot read ${name}: it is above 64 KiB`);
    }
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof ConfigError) throw error;
    throw new ConfigError("bad_file", `Cannot read ${name}: ${(error as Error).message}`);
  }
}

/** The process's own surroundings. */
export function processSurroundings(): Surroundings {
  const env = Deno.env.toObject();
  return { env, cwd: Deno.cwd(), home: env.HOME ?? env.USERPROFILE };
}

/** A name that looks like a setting of ours and is none: a misspelling, mostly. */
export interface Stranger {
  /** As it is written. */
  readonly name: string;
  /** Where it is from, e.g. `./.env`. */
  readonly source: string;
  /** The setting that was meant, perhaps. */
  readonly meant: string | undefined;
}

/** What tests and tools read, and no command does. */
const TOOLS = /^VRAMHUB_(TEST_RUN|PYTHON|CHROMIUM|SCREENSHOTS)$/;

/**
 * Every {@linkcode Stranger} of `surroundings`, which does nothing.
 *
 * @throws {ConfigError} `bad_line`, `bad_file`.
 */
export function strangers(surroundings: Surroundings): Stranger[] {
  const known = new Set(NAMES.flatMap(environmentNames));
  return layersOf(surroundings).flatMap(({ name: source, values }) =>
    Object.keys(values)
      .filter((name) => /^(VRAMHUB|SLCL)_/.test(name) && !known.has(name) && !TOOLS.test(name))
      .map((name) => ({ name, source, meant: nearest(name, known) }))
  );
}

/** What is wrong with one, in a line. */
export function strangerText({ name, source, meant }: Stranger): string {
  const hint = meant === undefined ? "" : `; is ${meant} meant?`;
  return `${name} in ${source} is no setting and does nothing${hint}`;
}
