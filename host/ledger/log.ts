/**
 * Log lines: a message and its fields, in the seeds' form `Starting window window=3 uid=1`.
 *
 * @module
 */

/** How bad it is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Takes a log line; `target` names the part that speaks, e.g. `vramhub_miner`. */
export type Log = (
  level: LogLevel,
  target: string,
  message: string,
  fields?: Readonly<Record<string, string | number | boolean>>,
) => void;

/** One line for people: the message of an error, without its stack. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
