/**
 * What nitro-cli's error codes mean for this project's image, and what to do. The codes are those of
 * `src/common/document_errors.rs` in aws/aws-nitro-enclaves-cli; which remedy helps is from AWS's documentation and
 * from that repository's issues, and was not tried on hardware.
 *
 * @module
 */

/** Why nitro-cli failed. */
export class NitroCliError extends Error {
  /** nitro-cli's own code, `E00` to `E58`; `no_program`, `bad_output` or `failed` where it gave none. */
  readonly code: string;

  /** A failure for reason `code`. */
  constructor(code: string, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "NitroCliError";
    this.code = code;
  }
}

const ALLOCATOR = "edit /etc/nitro_enclaves/allocator.yaml, then " +
  "'sudo systemctl restart nitro-enclaves-allocator'; nitro/ec2/setup.sh does both";

/** What to do, by code. */
const REMEDIES: Readonly<Record<string, string>> = {
  E07: "the folder /run/nitro_enclaves is missing or closed to this user: run nitro/ec2/setup.sh",
  E11: "look at the error of the line above it: this one only follows it",
  E18:
    "another user owns /var/log/nitro_enclaves: run as a member of the group 'ne', not by turns as root",
  E19:
    "a file cannot be opened. If it is /dev/nitro_enclaves, the instance was not started with enclave " +
    "support (--enclave-options Enabled=true) or this user is not in the group 'ne'; if it is the image, " +
    "check --eif",
  E21: `a CPU is asked for that is not in the pool: ${ALLOCATOR}`,
  E22:
    `fewer CPUs are in the pool than asked for: ${ALLOCATOR}. On Amazon Linux 2023 the pool may ` +
    "stay empty until a reboot",
  E26: "nitro-cli asks for four times the size of the image: raise --memory",
  E27:
    `fewer huge pages are free than asked for: ${ALLOCATOR}. Memory that is fragmented needs a reboot; ` +
    "an enclave that still runs holds its own: 'deno task enclave:status'",
  E29:
    "a call of the driver failed, often because the last enclave has only just ended: try again after a " +
    "few seconds, then restart nitro-enclaves-allocator",
  E31:
    "the memory could not be given to the enclave: restart nitro-enclaves-allocator, then reboot",
  E32:
    "a CPU could not be given to the enclave: both threads of a core go together, so ask for an even number",
  E35:
    "the image is damaged, or huge pages are missing: compare its PCRs ('deno task audit eif'), then " +
    "restart nitro-enclaves-allocator",
  E36: "the enclave started and did not say that it is alive: PID 1 ended (see its console with " +
    "'deno task enclave:run --debug' and 'deno task enclave:console'), --memory is too small for the " +
    "image to unpack, or no CPU was free (restart nitro-enclaves-allocator, then reboot). Two calls at once " +
    "fail like this, too",
  E39: "an enclave's own process is gone: the error before this one says why; else " +
    "'sudo systemctl restart nitro-enclaves-allocator'",
  E44: "only an enclave that was started with --debug has a console",
};

/** Codes in nitro-cli's output, in order, each once. */
function codesOf(output: string): string[] {
  return [...new Set([...output.matchAll(/\[ (E\d\d) \]/g)].map(([, code]) => code!))];
}

/** The error that nitro-cli's standard error tells of, with what can be done about it. */
export function explain(action: string, stderr: string): NitroCliError {
  const codes = codesOf(stderr);
  // The first is the cause; the others are its consequences.
  const known = codes.find((code) => REMEDIES[code] !== undefined && code !== "E11") ?? codes[0];
  const said = stderr.trim().split("\n").find((line) => /\[ E\d\d \]/.test(line)) ??
    stderr.trim().split("\n")[0] ?? "";
  const remedy = known === undefined ? undefined : REMEDIES[known];
  const lines = [
    `Cannot ${action} the enclave: ${said.slice(0, 500) || "nitro-cli failed without a word"}`,
  ];
  if (remedy !== undefined) lines.push(`${known}: ${remedy}`);
  return new NitroCliError(known ?? "failed", lines.join("\n"));
}
