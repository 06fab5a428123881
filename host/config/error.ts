/**
 * The one error of everything that is configured.
 *
 * @module
 */

/** Why a setting was refused. */
export type ConfigFault =
  /** Two names of one setting have different values. */
  | "alias_conflict"
  /** The value is not of the setting's type. */
  | "bad_value"
  /** A line of a file is no setting. */
  | "bad_line"
  /** A file cannot be read, or is too large. */
  | "bad_file"
  /** The setting is needed and not there. */
  | "missing"
  /** There is no such network. */
  | "unknown_network"
  /** The network has not been published. */
  | "not_published"
  /** An id of another project's package. */
  | "foreign_id";

/** A setting that cannot be used; the message names it, says why, and never holds a secret. */
export class ConfigError extends Error {
  /** Stable reason. */
  readonly code: ConfigFault;

  /** An error for reason `code`. */
  constructor(code: ConfigFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConfigError";
    this.code = code;
  }
}
