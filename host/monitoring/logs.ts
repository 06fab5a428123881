/**
 * Log lines by way of LogTape: levels by module, what is being done as context, as lines for people or as JSON. Every
 * part writes by the one {@linkcode Log} function and knows nothing of it.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  type LogLevel as TapeLevel,
  type LogRecord,
  resetSync,
} from "@logtape/logtape";
import type { Log, LogLevel } from "../ledger/log.ts";
import type { WorkFields } from "../ledger/work.ts";
import type { Levels, Threshold } from "./levels.ts";

/** A log line. */
export interface Line {
  /** How bad it is. */
  readonly level: LogLevel;
  /** The part that speaks, e.g. `vramhub_miner::miner`. */
  readonly target: string;
  /** What happened. */
  readonly message: string;
  /** Its values, in order. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** How log lines are written. */
export interface LogOptions {
  /** What is said. */
  readonly levels: Levels;
  /** `pretty` hands each line to `show`; `json` writes an object a line, with its context and the time. */
  readonly format: "pretty" | "json";
  /** Takes a line for people. */
  readonly show: (line: Line) => void;
  /** Takes a line of JSON, without its end. */
  readonly write: (json: string) => void;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
}

const TAPE: Readonly<Record<LogLevel, TapeLevel>> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
};
const OURS: Readonly<Partial<Record<TapeLevel, LogLevel>>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warning: "warn",
  error: "error",
  fatal: "error",
};
/** What is being done, by whoever writes a line now. */
const context = new AsyncLocalStorage<WorkFields>();

/** Set up logging for this process. Whatever was set up before is replaced. */
export function openLogs(options: LogOptions): Log {
  const { format, levels, redact, show, write } = options;
  const json = getJsonLinesFormatter({
    properties: "nest:fields",
    categorySeparator: "::",
  });
  const sink = format === "json"
    ? (record: LogRecord) => write(json(inJson(record, redact)).trimEnd())
    : (record: LogRecord) => show(lineOf(record, redact));
  const logger = (category: string[], level: Threshold) => ({
    category,
    sinks: ["lines"],
    parentSinks: "override" as const,
    lowestLevel: level === "off" ? null : TAPE[level],
  });
  configureSync({
    reset: true,
    sinks: { lines: sink },
    loggers: [
      logger([], levels.base),
      ...Object.entries(levels.modules).map(([name, level]) => logger(name.split("::"), level)),
      { ...logger(["logtape", "meta"], "warn") },
    ],
  });
  return (level, target, message, fields = {}) => {
    const tape = getLogger(target.split("::"));
    // Text of ours is no template: a brace is a brace.
    const text = message.replaceAll("{", "{{").replaceAll("}", "}}");
    if (level === "warn") tape.warn(text, { ...fields });
    else tape[level](text, { ...fields });
  };
}

/** Forget what {@link openLogs} set up. */
export function closeLogs(): void {
  resetSync();
}

/** `work`, whose lines in JSON say that they were written in it: its fields, and its name as `phase`. */
export function inContext<T>(
  name: string,
  fields: WorkFields,
  work: () => Promise<T>,
): Promise<T> {
  const phase = name === "window" ? {} : { phase: name };
  return context.run({ ...context.getStore(), ...fields, ...phase }, work);
}

function lineOf(record: LogRecord, redact: (text: string) => string): Line {
  return {
    level: OURS[record.level] ?? "error",
    target: record.category.join("::"),
    message: redact(record.message.join("")),
    fields: clean(record.properties, redact),
  };
}

/** The record as JSON shows it: with what was being done, and without secrets. */
function inJson(record: LogRecord, redact: (text: string) => string): LogRecord {
  const properties = { ...context.getStore(), ...clean(record.properties, redact) };
  const message = redact(record.message.join(""));
  return { ...record, message: [message], rawMessage: message, properties };
}

function clean(
  properties: Readonly<Record<string, unknown>>,
  redact: (text: string) => string,
): Record<string, string | number | boolean> {
  const value = (found: unknown) =>
    typeof found === "number" || typeof found === "boolean" ? found : redact(String(found));
  return Object.fromEntries(
    Object.entries(properties).map(([name, found]) => [name, value(found)]),
  );
}
