/**
 * Arguments of `deno task audit`.
 *
 * @module
 */
import { merge, object, or } from "@optique/core/constructs";
import {
  commandLine,
  lineBreak,
  type Message,
  message,
  optionName,
  optionNames,
  text,
} from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string, type ValueParser } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { parseUtcTime, PCR_BYTES } from "../../attestation/mod.ts";
import { type Bytes, fromHex, toHex } from "../../enclave/protocol/bytes.ts";
import { type ArgsIo, examples, parse } from "./args.ts";

/** Where the approved measurements come from. */
export type ApprovedSource =
  /** A `pcrs.json`. */
  | { readonly kind: "file"; readonly path: string }
  /** PCR0, 1 and 2 from the command line. */
  | { readonly kind: "pcrs"; readonly pcrs: readonly [Bytes, Bytes, Bytes] }
  /** A test network's data directory; its SIMULATED root only where asked for by name. */
  | { readonly kind: "ledger"; readonly dir: string; readonly simulatedRoot: boolean };

/** Arguments of `deno task audit document`. */
export interface AuditArgs {
  /** A path, a URL, or `-` for standard input. */
  readonly document: string;
  /** The approved measurements. */
  readonly approved: ApprovedSource;
  /** The moment in question; a number is milliseconds since 1970. */
  readonly at: "now" | "document" | number;
  /** The nonce that the document must have. */
  readonly nonce: Bytes | undefined;
  /** Accept debug enclaves. */
  readonly allowDebug: boolean;
  /** Print one JSON object. */
  readonly json: boolean;
}

/** AWS's text bounds a nonce by 512 bytes and elsewhere by 1,024. */
const MAX_NONCE = 1_024;

/** From `least` to `most` bytes in hexadecimal. */
function hex(least: number, most: number): ValueParser<"sync", Bytes> {
  const bounds = least === most ? `${least}` : `${least} to ${most}`;
  return {
    mode: "sync",
    metavar: "HEX",
    placeholder: new Uint8Array(least),
    parse(input) {
      try {
        const value = fromHex(input);
        if (value.length >= least && value.length <= most) return { success: true, value };
      } catch {
        // The same answer as for a wrong length.
      }
      return { success: false, error: [text(`Expected ${bounds} bytes in hexadecimal.`)] };
    },
    format: toHex,
  };
}

const moment: ValueParser<"sync", AuditArgs["at"]> = {
  mode: "sync",
  metavar: "TIME",
  placeholder: "now",
  parse(input) {
    if (input === "now" || input === "document") return { success: true, value: input };
    const value = parseUtcTime(input);
    if (value !== undefined) return { success: true, value };
    const expected = "Expected now, document or a time as 2026-01-31T12:00:00Z.";
    return { success: false, error: [text(expected)] };
  },
  format: (value) => typeof value === "number" ? new Date(value).toISOString() : value,
};

const pcr = hex(PCR_BYTES, PCR_BYTES);

const approved = or(
  object({
    approved: map(
      option("--pcrs", path({ metavar: "FILE", type: "file" }), {
        description:
          message`Approved measurements: a release's pcrs.json, or what nitro-cli printed of your own build.`,
      }),
      (path): ApprovedSource => ({ kind: "file", path }),
    ),
  }),
  map(
    object({
      pcr0: option("--pcr0", pcr, {
        description: message`One approved measurement: PCR0, of the whole image,`,
      }),
      pcr1: option("--pcr1", pcr, { description: message`PCR1, of the platform,` }),
      pcr2: option("--pcr2", pcr, { description: message`and PCR2, of the program.` }),
    }),
    ({ pcr0, pcr1, pcr2 }): { approved: ApprovedSource } => ({
      approved: { kind: "pcrs", pcrs: [pcr0, pcr1, pcr2] },
    }),
  ),
  map(
    object({
      dir: option("--ledger", path({ metavar: "DIR", type: "directory" }), {
        description:
          message`The measurements that the ledger of the test network in this data directory approves.`,
      }),
      simulatedRoot: option("--simulated-root", {
        description:
          message`Trust that network's SIMULATED root instead of AWS's. It proves no hardware.`,
      }),
    }),
    ({ dir, simulatedRoot }): { approved: ApprovedSource } => ({
      approved: { kind: "ledger", dir, simulatedRoot },
    }),
  ),
  {
    errors: {
      noMatch: message`Cannot audit without approved measurements: give ${optionName("--pcrs")}, ${
        optionName("--ledger")
      }, or ${optionNames(["--pcr0", "--pcr1", "--pcr2"])}.`,
    },
  },
);

const document = merge(
  object({
    document: argument(string({ metavar: "DOCUMENT" }), {
      description:
        message`A file, a URL (http, https) or - for standard input: a document, raw or in hexadecimal or base64; an enclave's JSON or CBOR answer; or a certificate, DER or PEM, with one in its subjectAltName.`,
    }),
  }),
  approved,
  object({
    at: withDefault(
      option("--at", moment, {
        description:
          message`When certificates and approvals must hold: now (and the document is at most 10 minutes old), document (its own time), or a time in UTC as if it were now.`,
      }),
      "now" as const,
    ),
    nonce: optional(option("--nonce", hex(1, MAX_NONCE), {
      description: message`The challenge that was sent: the document must carry it.`,
    })),
    allowDebug: option("--allow-debug", {
      description: message`Accept debug enclaves, whose memory their host can read.`,
    }),
    json: option("--json", {
      description: message`Print one JSON object, for other programs.`,
    }),
  }),
);

/** The statuses of `verdict.ts`, for scripts. */
const STATUSES: Message = [
  "The status it ends with is the verdict:",
  "  0  genuine and approved",
  "  2  called wrongly, or no measurements to hold it against: no verdict",
  "  3  genuine, but not approved (or another nonce)",
  "  4  genuine, but a debug enclave",
  "  5  genuine, but expired, stale or not valid yet at the time in question",
  "  6  not genuine",
  "  7  unreadable",
].flatMap((line, i): Message => i === 0 ? [text(line)] : [lineBreak(), text(line)]);

const audit = command("document", document, {
  description: message`Verify an attestation document against approved measurements.`,
  footer: STATUSES,
  errors: {
    notMatched:
      message`Cannot audit without saying what: the first word is ${"document"}, ${"replay"}, ${"eif"} or ${"rebuild"}.`,
  },
});

/** Parse the auditor's arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseAuditArgs(argv: readonly string[], io?: ArgsIo): AuditArgs {
  return parse("deno task audit", audit, argv, {
    brief: [
      ...message`Verify what an enclave says of itself. No account is needed. (To judge a window again: ${
        commandLine("deno task audit replay --help")
      }. An image: ${commandLine("deno task audit eif --help")} and ${
        commandLine("deno task audit rebuild --help")
      }.)`,
      lineBreak(),
      ...STATUSES,
    ],
    examples: examples(
      [
        "A document that was kept, at its own time, against a release",
        "document judge.bin --pcrs pcrs.json --at document",
      ],
      [
        "A running enclave",
        "document https://judge.example/get_attestation --pcrs pcrs.json",
      ],
      [
        "A test network's judge, SIMULATED",
        "document judge.cbor --ledger ./network --simulated-root",
      ],
    )("deno task audit"),
  }, io) as AuditArgs;
}
