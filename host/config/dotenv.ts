/**
 * `.env` files, as shells and systemd read them: `NAME=value`, with quotes where a value has spaces, `export`
 * before it, and `#` comments. Nothing is expanded.
 *
 * @module
 */
import { ConfigError } from "./error.ts";

/** A setting of a file. */
export interface Line {
  /** As it stands there. */
  readonly name: string;
  /** Without its quotes. */
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

/** No `.env` of ours is longer. */
export const MAX_DOTENV_BYTES: number = 64 * 1024;

const ASSIGNMENT = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/;
const QUOTED = /^(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?$/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * The settings of `source`, in order.
 *
 * @param file Its name, for errors.
 * @throws {ConfigError} `bad_line`; the line's text is not in the message, since it may be a secret.
 */
export function parseDotenv(source: string, file: string): Line[] {
  const found: Line[] = [];
  for (const [i, raw] of source.replace(/^\ufeff/, "").split(/\r?\n/).entries()) {
    const trimmed = raw.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [, name, rest] = ASSIGNMENT.exec(trimmed) ?? [];
    const value = rest === undefined ? undefined : unquoted(rest);
    if (name === undefined || value === undefined) {
      throw new ConfigError(
        "bad_line",
        `Cannot read ${file} as line ${i + 1} is not NAME=value, with quotes closed`,
      );
    }
    found.push({ name, value, line: i + 1 });
  }
  return found;
}

/** The value that `rest` stands for, or undefined where its quotes are not closed. */
function unquoted(rest: string): string | undefined {
  if (!/^['"]/.test(rest)) return rest.replace(/\s+#.*$/, "").trimEnd();
  const match = QUOTED.exec(rest);
  if (match === null) return undefined;
  return match[1] ?? match[2]!.replace(/\\(.)/g, (_, one: string) => ESCAPES[one] ?? one);
}
