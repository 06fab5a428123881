/**
 * The one error type of everything that reads bytes or messages from outside.
 *
 * @module
 */

/** Bad input from outside: `code` is stable and for machines, the message for people. */
export class Refusal extends Error {
  /** Stable snake_case reason, e.g. `trailing_bytes`. */
  readonly code: string;
  /** The field or part that is at fault, where there is one. */
  readonly field: string | undefined;

  /** A refusal for reason `code`; `message` says what to do about it. */
  constructor(code: string, message: string, field?: string) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.field = field;
  }
}
