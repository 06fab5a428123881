/**
 * `deno task fuzz attestation`: mutants for a time, or every value of every byte.
 *
 * @module
 */
import { merge, object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { argument, flag, option } from "@optique/core/primitives";
import { choice, integer } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { fuzzAttestation, type FuzzResult } from "./attestation.ts";
import { exhaust } from "./exhaustive.ts";
import { genuine, simulated } from "./vectors.ts";

const MiB = 1024 * 1024;
/** Positions of a document between two lines of progress. */
const STEP = 256;

const args = run(
  merge(
    object({ target: argument(choice(["attestation"], { metavar: "TARGET" })) }),
    or(
      object({
        exhaustive: flag("--exhaustive", {
          description: message`All 255 other values of every byte of every document.`,
        }),
        part: withDefault(
          option("--part", integer({ metavar: "I", min: 0, max: 63 }), {
            description:
              message`Only every 64th run of bytes from the I-th on (with --parts, every N-th).`,
          }),
          0,
        ),
        parts: withDefault(
          option("--parts", integer({ metavar: "N", min: 1, max: 64 }), {
            description: message`How many processes share the work.`,
          }),
          1,
        ),
      }),
      object({
        seconds: withDefault(
          option("--seconds", integer({ metavar: "N", min: 1, max: 86_400 }), {
            description: message`For how long.`,
          }),
          60,
        ),
        seed: optional(option("--seed", integer({ metavar: "S", min: 0, max: 0xffff_ffff }), {
          description: message`Repeats a run. Without it, a random one, which is printed.`,
        })),
        from: withDefault(
          option("--from", integer({ metavar: "CASE", min: 0 }), {
            description: message`The first case, to go straight to one that failed.`,
          }),
          0,
        ),
      }),
    ),
  ),
  {
    programName: "deno task fuzz",
    brief: message`Look for inputs that the verifier answers with anything but a typed refusal.`,
    help: "option",
    aboveError: "usage",
    errorExitCode: 2,
    showDefault: true,
  },
);

if ("exhaustive" in args) await everyValue(args.part, args.parts);
else {await mutants(
    args.seconds,
    args.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!,
    args.from,
  );}

async function mutants(seconds: number, seed: number, from: number): Promise<void> {
  console.log(`seed ${seed}, ${1 + genuine().length} documents, ${seconds} s`);
  const result = await fuzzAttestation({
    seed,
    seconds,
    from,
    onProgress: (so) => console.log(summary(so)),
  });
  console.log(summary(result));
  for (const [kind, { accepted, refused }] of Object.entries(result.kinds).sort()) {
    console.log(`  ${kind}: ${accepted} accepted, ${refused} refused`);
  }
  const codes = Object.entries(result.codes).sort(([, a], [, b]) => b - a);
  console.log(`  codes: ${codes.map(([code, n]) => `${code} ${n}`).join(", ")}`);
  console.log(`seed ${seed}: no defect in ${result.cases} cases`);
}

function summary({ cases, seconds, peakRss, longestMs }: FuzzResult): string {
  const rate = Math.round(cases / seconds);
  const rss = Math.round(peakRss / MiB);
  return `${cases} cases, ${rate} cases/s, peak RSS ${rss} MiB, longest ${Math.ceil(longestMs)} ms`;
}

async function everyValue(part: number, parts: number): Promise<void> {
  const documents = genuine();
  if (documents.length === 0) {
    console.log("../shared/vectors is not there: only the simulated document");
    documents.push(simulated());
  }
  const total = { cases: 0, decoding: 0, verified: 0, implied: 0 };
  let turn = 0;
  for (const sound of documents) {
    const { name, document: { length } } = sound;
    for (let from = 0; from < length; from += STEP) {
      if (turn++ % parts !== part) continue;
      const to = Math.min(length, from + STEP);
      const found = await exhaust(sound, from, to);
      for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += found[key];
      console.log(`${name} bytes ${from} to ${to - 1} of ${length}: ${JSON.stringify(found)}`);
    }
  }
  console.log(
    `${total.cases} changes, all refused by type: ${total.decoding} by decoding, ${total.verified} by ` +
      `verify() run whole, ${total.implied} that decode and differ in the signed payload alone (one of ` +
      `each position's is among those run whole)`,
  );
}
