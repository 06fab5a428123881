/**
 * Arguments of `deno task enclave:run`, `:status`, `:stop`, `:console` and `:spot`.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run";
import { type ArgsIo, examples, parse } from "./args.ts";
import type { RunOptions } from "./enclave/nitro_cli.ts";

/** What is to be done with the enclave. */
export type EnclaveArgs =
  | { readonly action: "run"; readonly options: RunOptions; readonly watch: boolean }
  | { readonly action: "status" }
  | { readonly action: "stop"; readonly cid: number }
  | { readonly action: "console"; readonly cid: number }
  | { readonly action: "spot"; readonly cid: number; readonly service: string };

const cid = withDefault(
  option("--cid", integer({ metavar: "CID", min: 4, max: 0xffff_fffe }), {
    description: message`The enclave's vsock address.`,
  }),
  16,
);

const run = command(
  "run",
  map(
    object({
      eif: option("--eif", path({ metavar: "FILE" }), { description: message`The image.` }),
      cpus: withDefault(
        option("--cpus", integer({ metavar: "N", min: 2, max: 128 }), {
          description: message`CPUs, both threads of a core together.`,
        }),
        2,
      ),
      memoryMib: withDefault(
        option("--memory", integer({ metavar: "MIB", min: 64, max: 1 << 20 }), {
          description: message`Memory in MiB, at least four times the image.`,
        }),
        4_096,
      ),
      cid,
      debug: option("--debug", {
        description:
          message`Open its console. PCR0 to PCR2 are zero then, and no ledger accepts it.`,
      }),
      watch: option("--watch", {
        description: message`Stay, and start another where it has ended.`,
      }),
    }),
    ({ watch, ...options }): EnclaveArgs => ({ action: "run", options, watch }),
  ),
  { description: message`Start the enclave, unless it runs.` },
);

const status = command("status", map(object({}), (): EnclaveArgs => ({ action: "status" })), {
  description: message`Show what runs; status 1 where nothing does.`,
});

const stop = command(
  "stop",
  map(object({ cid }), ({ cid }): EnclaveArgs => ({ action: "stop", cid })),
  { description: message`End the enclave. Its key is gone with it.` },
);

const show = command(
  "console",
  map(object({ cid }), ({ cid }): EnclaveArgs => ({ action: "console", cid })),
  { description: message`Show the console of a debug enclave.` },
);

const spot = command(
  "spot",
  map(
    object({
      cid,
      service: withDefault(
        option("--service", string({ metavar: "UNIT" }), {
          description: message`The validator's unit.`,
        }),
        "vramhub-validator.service",
      ),
    }),
    (args): EnclaveArgs => ({ action: "spot", ...args }),
  ),
  {
    description: message`Wait until this spot instance is to end, then stop validator and enclave.`,
  },
);

const parser = or(run, status, stop, show, spot);

/** Parse the arguments. Does not return where help was asked for or the arguments are wrong. */
export function parseEnclaveArgs(argv: readonly string[], io?: ArgsIo): EnclaveArgs {
  return parse("deno task enclave", parser, argv, {
    brief: message`Run the judge's image on an EC2 instance, by way of nitro-cli.`,
    examples: examples(
      ["Start it and keep it running", "run --eif judge.eif --watch"],
      ["Look at a boot that fails", "run --eif judge.eif --debug"],
    )("deno task enclave"),
  }, io);
}
