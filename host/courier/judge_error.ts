/**
 * Why a call to the judge failed.
 *
 * @module
 */

/** Codes after which the same call can succeed: later, or once a blob that it names was put. */
const RETRYABLE: ReadonlySet<string> = new Set([
  "busy",
  "missing_blob",
  "slow_body",
  "timeout",
  "unreachable",
]);

/** A refusal of the judge, or a failure on the way to it. */
export class JudgeError extends Error {
  /** The judge's own reason, or `unreachable`, `timeout`, `closed` or `bad_answer`. */
  readonly code: string;
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** The input that is at fault, where there is one. */
  readonly field: string | null;
  /** Whether the same call can succeed. */
  readonly retryable: boolean;

  /** A failure for reason `code`. */
  constructor(
    code: string,
    status: number,
    message: string,
    options: { readonly field?: string | null; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "JudgeError";
    this.code = code;
    this.status = status;
    this.field = options.field ?? null;
    this.retryable = RETRYABLE.has(code);
  }
}
