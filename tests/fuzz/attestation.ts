/**
 * Fuzzing of the verifier: mutants of documents, of their wrappings and of `pcrs.json`. Whatever comes in, what
 * comes out is an acceptance that is justified, or an `AttestationError` with a documented code.
 *
 * @module
 */
import {
  AttestationError,
  type Attested,
  parseMeasurements,
  type Policy,
  unwrapDocument,
  verify,
} from "../../attestation/mod.ts";
import { type Bytes, concat, equal, toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { mutateBytes } from "./bytes.ts";
import { mutateCertificate, mutatePayload } from "./documents.ts";
import { PCRS } from "./pki.ts";
import { Random } from "./random.ts";
import { genuine, simulated, type Sound } from "./vectors.ts";

/** One input and what may become of it. */
interface Case {
  readonly kind: string;
  readonly input: Bytes;
  /** Resolves where the input is accepted, to why it must not be; undefined where it may. */
  readonly run: () => Promise<string | undefined>;
}

/** How to fuzz. */
export interface FuzzOptions {
  /** Repeats a run: the same cases in the same order. */
  readonly seed: number;
  /** For how long, in seconds. */
  readonly seconds: number;
  /** The first case; default 0. */
  readonly from?: number;
  /** Told of progress, every few seconds. */
  readonly onProgress?: (so: FuzzResult) => void;
}

/** What a run tried. */
export interface FuzzResult {
  /** Cases tried. */
  cases: number;
  /** Of each kind: how many were accepted and refused. */
  readonly kinds: Record<string, { accepted: number; refused: number }>;
  /** How often each code was the answer. */
  readonly codes: Record<string, number>;
  /** Peak resident memory, in bytes, sampled. */
  peakRss: number;
  /** The longest case, in milliseconds. */
  longestMs: number;
  /** Wall time in seconds. */
  seconds: number;
}

/** A case that takes longer hangs; a run that grows by more leaks, or allocates what a document declares. */
const MAX_CASE_MS = 20_000;
const MAX_GROWTH = 512 * 1024 * 1024;
const SAMPLE_EVERY = 32;
const PROGRESS_MS = 5_000;

/** Codes that `attestation/README.md` lists. */
export function documentedCodes(): Set<string> {
  const readme = Deno.readTextFileSync(new URL("../../attestation/README.md", import.meta.url));
  const table = readme.slice(readme.indexOf("## Codes of"));
  return new Set([...table.matchAll(/`([a-z0-9_]+)`/g)].map(([, code]) => code!));
}

/**
 * Try mutants for `options.seconds`.
 *
 * @throws {Error} at the first defect, with its seed, case number and input.
 */
export async function fuzzAttestation(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, seconds, from = 0, onProgress } = options;
  const sounds = [simulated(), ...genuine()];
  const codes = documentedCodes();
  const started = performance.now();
  const baseRss = Deno.memoryUsage().rss;
  const result: FuzzResult = {
    cases: 0,
    kinds: {},
    codes: {},
    peakRss: baseRss,
    longestMs: 0,
    seconds: 0,
  };
  for (let progress = started, now = started; now - started < seconds * 1_000;) {
    const index = from + result.cases++;
    const one = makeCase(new Random(seed, index), sounds);
    const begun = performance.now();
    const outcome = await attempt(one, codes, seed, index);
    now = performance.now();
    const kind = result.kinds[one.kind] ??= { accepted: 0, refused: 0 };
    kind[outcome === undefined ? "accepted" : "refused"]++;
    if (outcome !== undefined) result.codes[outcome] = (result.codes[outcome] ?? 0) + 1;
    result.longestMs = Math.max(result.longestMs, now - begun);
    result.seconds = (now - started) / 1_000;
    if (now - begun > MAX_CASE_MS) throw defect(one, seed, index, `took ${now - begun} ms`);
    if (result.cases % SAMPLE_EVERY !== 0) continue;
    result.peakRss = Math.max(result.peakRss, Deno.memoryUsage().rss);
    const growth = result.peakRss - baseRss;
    if (growth > MAX_GROWTH) throw defect(one, seed, index, `memory grew by ${growth} bytes`);
    if (now - progress < PROGRESS_MS) continue;
    progress = now;
    onProgress?.(result);
  }
  return result;
}

/** The code of the refusal, or undefined for an acceptance that is justified. */
async function attempt(one: Case, codes: ReadonlySet<string>, seed: number, index: number) {
  let wrong: string | undefined;
  try {
    wrong = await one.run();
  } catch (error) {
    if (error instanceof AttestationError && codes.has(error.code)) return error.code;
    throw defect(one, seed, index, `threw ${(error as Error)?.stack ?? error}`);
  }
  if (wrong !== undefined) throw defect(one, seed, index, `was accepted: ${wrong}`);
  return undefined;
}

function defect({ kind, input }: Case, seed: number, index: number, what: string): Error {
  return new Error(
    `Case ${index} of seed ${seed} (${kind}) ${what}\nits input: ${toHex(input)}`,
  );
}

function makeCase(random: Random, sounds: readonly Sound[]): Case {
  const [own] = sounds;
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return resigned("payload", mutatePayload(random), own!.policy);
    case 3:
    case 4:
    case 5:
      return resigned("certificate", mutateCertificate(random), own!.policy);
    case 6:
      return wrapping(random, own!);
    case 7:
      return measurements(random);
    default:
      return bytewise(random, random.pick(sounds), sounds);
  }
}

/** Bytes changed under a signature that covers them: only the very document may be accepted. */
function bytewise(random: Random, sound: Sound, sounds: readonly Sound[]): Case {
  const { document, policy } = sound;
  const input = random.once(6)
    ? splice(random, document, random.pick(sounds).document)
    : mutateBytes(document, random);
  const same = (found: Bytes) =>
    equal(found, document) || equal(found, concat(new Uint8Array([0xd2]), document));
  return {
    kind: "bytes",
    input,
    run: async () => {
      await verify(input, policy);
      return same(input) ? undefined : "its bytes are not those that were signed";
    },
  };
}

function splice(random: Random, a: Bytes, b: Bytes): Bytes {
  const at = random.below(a.length);
  return concat(a.subarray(0, at), b.subarray(random.once(2) ? at : random.below(b.length)));
}

/** A changed structure that is signed: accepted only where it says what the policy asks. */
function resigned(kind: string, input: Bytes, policy: Policy): Case {
  return { kind, input, run: async () => unjustified(await verify(input, policy)) };
}

function unjustified(attested: Attested): string | undefined {
  for (const [index, wanted] of PCRS) {
    const found = attested.pcrs.get(index);
    if (found === undefined || !equal(found, wanted)) return `PCR${index} is another`;
  }
  if (attested.root !== "simulated" || attested.debug) return "its root or mode is another";
  if (attested.timestamp > attested.notAfter) return "it was issued after its chain expired";
  return undefined;
}

function wrapping(random: Random, { document }: Sound): Case {
  const wrapped = random.pick<() => Bytes>([
    () => utf8(toHex(document)),
    () => utf8(document.toBase64()),
    () => utf8(JSON.stringify({ attestation: toHex(document) })),
    () => encodeCanonical({ attestation_document: document }),
    () => certificateAround(document),
    () =>
      utf8(
        `-----BEGIN CERTIFICATE-----\n${
          certificateAround(document).toBase64()
        }\n-----END CERTIFICATE-----`,
      ),
  ])();
  const input = mutateBytes(wrapped, random);
  return { kind: "wrapping", input, run: () => nothingWrong(() => unwrapDocument(input)) };
}

/** Enough of a certificate for the reader of subjectAltName: it verifies nothing, and looks no further. */
function certificateAround(document: Bytes): Bytes {
  const name = utf8(`${toHex(document)}.judge.example`);
  const sized = (tag: number, value: Bytes) =>
    concat(Uint8Array.from([tag, 0x82, value.length >> 8, value.length & 255]), value);
  const oid = Uint8Array.from([6, 3, 0x55, 0x1d, 0x11]);
  return sized(0x30, sized(0x30, concat(oid, sized(0x04, sized(0x30, sized(0x82, name))))));
}

function measurements(random: Random): Case {
  const hex = "ab".repeat(48);
  const text = JSON.stringify({
    measurements: [{
      name: "v1",
      pcrs: { 0: hex, 1: hex, 2: hex },
      not_after: "2026-01-01T00:00:00Z",
    }],
  });
  const input = mutateBytes(utf8(text), random);
  return { kind: "measurements", input, run: () => nothingWrong(() => parseMeasurements(input)) };
}

function nothingWrong(read: () => unknown): Promise<undefined> {
  return Promise.resolve().then(() => void read());
}
