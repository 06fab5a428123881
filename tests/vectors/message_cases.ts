/**
 * Vectors of what is committed to and signed: commitments, the window's digest, reports and outcomes.
 *
 * @module
 */
import { type Bytes, concat, toHex } from "../../enclave/protocol/bytes.ts";
import {
  commitment,
  EMPTY_ACC,
  encodeContext,
  foldReveal,
  foldReveals,
  type Randomness,
  windowDigest,
} from "../../enclave/protocol/commit.ts";
import { keyPairFrom, userDataOf } from "../../enclave/protocol/identity.ts";
import {
  encodeOutcome,
  encodeReport,
  type MessageHead,
  type Outcome,
  type Report,
} from "../../enclave/protocol/report.ts";
import { VERDICT } from "../../enclave/protocol/verdict.ts";
import {
  CHAIN,
  DRAND_CONTEXT,
  LEDGER,
  LEDGER_CONTEXT,
  metric,
  named,
  plain,
  REVEALS,
  u64,
  WINDOW,
} from "./inputs.ts";

/** `commit.json`. */
export function commit(): unknown {
  const salt = named("salt");
  let acc = EMPTY_ACC;
  const folded = REVEALS.map((reveal) => {
    acc = foldReveal(acc, reveal);
    return { ...plain(reveal, "commitSeq"), acc: toHex(acc) };
  });
  const randomness = (r: Randomness) =>
    r.kind === "drand" ? plain(r, "assignRound", "judgeRound") : plain(r);
  return {
    about:
      'commitment = SHA-256("vramhub/commit/v1" ‖ ledger ‖ uid u16 ‖ N u64 ‖ content ‖ salt). acc starts as 32 zero bytes; acc = SHA-256("vramhub/reveal/v1" ‖ acc ‖ uid u16 ‖ commit_seq u64 ‖ content ‖ size u32 ‖ codec u8). digest = SHA-256("vramhub/window/v1" ‖ BCS of the context ‖ acc).',
    ledger: toHex(LEDGER),
    window: u64(WINDOW),
    commitments: REVEALS.map(({ uid, contentHash }) => ({
      uid,
      content_hash: toHex(contentHash),
      salt: toHex(salt),
      commitment: toHex(commitment(LEDGER, uid, WINDOW, contentHash, salt)),
    })),
    reveals: folded,
    contexts: [DRAND_CONTEXT, LEDGER_CONTEXT].map((context) => ({
      ...plain(context, "window"),
      randomness: randomness(context.randomness),
      bcs: toHex(encodeContext(context)),
      digest: toHex(windowDigest(context, foldReveals(REVEALS))),
      digest_without_reveals: toHex(windowDigest(context, EMPTY_ACC)),
    })),
  };
}

const SECRET = named("judge's secret");
const KEY = keyPairFrom(SECRET);
const HEAD: MessageHead = {
  chainId: CHAIN,
  ledgerId: LEDGER,
  validator: 5,
  window: WINDOW,
  timestampMs: 1_774_380_912_345,
};
const NONE = { ownBefore: null, ownAfter: null, randomAfter: null };

const REPORT: Report = {
  ...HEAD,
  windowDigest: windowDigest(DRAND_CONTEXT, foldReveals(REVEALS)),
  randomBefore: 11_512_345,
  entries: [
    {
      uid: 3,
      verdict: VERDICT.ok,
      ownBefore: 11_513_000,
      ownAfter: 11_400_001,
      randomAfter: 11_450_002,
    },
    { uid: 7, verdict: VERDICT.unavailable, ...NONE },
    { uid: 258, verdict: VERDICT.duplicate, ...NONE },
  ],
};
const REPORTS: Record<string, Report> = {
  "an ok, an abstention and a copy": REPORT,
  "no reveal, so nothing measured": { ...REPORT, randomBefore: null, entries: [] },
  "all refused, the base not measured": {
    ...REPORT,
    randomBefore: null,
    entries: [{ uid: 0, verdict: VERDICT.undecodable, ...NONE }],
  },
};

const OUTCOME: Outcome = {
  ...HEAD,
  settledDigest: named("settled"),
  ratings: [
    { uid: 3, mu: 26_314_159, sigma: 8_065_507 },
    { uid: 258, mu: -1, sigma: 1 },
  ],
  manifestHash: named("merged base"),
  currentLoss: 11_512_345,
  mergedLoss: 11_490_000,
};
const OUTCOMES: Record<string, Outcome> = {
  "two ratings and a merged base": OUTCOME,
  "ratings alone": { ...OUTCOME, manifestHash: null, currentLoss: null, mergedLoss: null },
  "nobody rated, nothing merged": {
    ...OUTCOME,
    ratings: [],
    manifestHash: null,
    currentLoss: null,
    mergedLoss: null,
  },
};

const key = () => ({ secret: toHex(SECRET), public_key: toHex(KEY.publicKey) });
const signed = (bytes: Bytes) => ({ bytes: toHex(bytes), signature: toHex(KEY.sign(bytes)) });
const head = (message: MessageHead) => ({
  chain_id: toHex(message.chainId),
  ledger_id: toHex(message.ledgerId),
  validator: message.validator,
  window: u64(message.window),
  timestamp_ms: u64(message.timestampMs),
});

/** `bytes` with `part` written over them at `at`. */
function patched(bytes: Bytes, at: number, ...part: number[]): Bytes {
  const out = bytes.slice();
  out.set(part, at);
  return out;
}

/** Rows start after the head (84 bytes), a digest, for a report random_before, and a one-byte length. */
const REPORT_ROWS = 84 + 32 + 8 + 1;
const OUTCOME_ROWS = 84 + 32 + 1;

/** `report.json`. */
export function report(): unknown {
  const good = encodeReport(REPORT);
  const bad: [string, string, Bytes][] = [
    ["truncated", "cut by one byte", good.slice(0, -1)],
    ["trailing_bytes", "one byte more", concat(good, Uint8Array.of(0))],
    ["wrong_intent", "an outcome's intent", patched(good, 0, 2)],
    ["wrong_version", "version 2", patched(good, 1, 2)],
    [
      "non_canonical",
      "a length in two bytes",
      concat(
        good.slice(0, REPORT_ROWS - 1),
        Uint8Array.of(0x83, 0),
        good.slice(REPORT_ROWS),
      ),
    ],
    [
      "too_long",
      "257 rows declared",
      concat(
        good.slice(0, REPORT_ROWS - 1),
        Uint8Array.of(0x81, 2),
        good.slice(REPORT_ROWS),
      ),
    ],
    ["not_ascending", "the first uid again", patched(good, REPORT_ROWS + 27, 3, 0)],
    ["bad_verdict", "verdict 11", patched(good, REPORT_ROWS + 29, 11)],
    ["bad_verdict", "a settled code", patched(good, REPORT_ROWS + 29, 30)],
    ["bad_metrics", "an abstention with a loss", patched(good, REPORT_ROWS + 30, 1)],
    ["out_of_range", "a negative loss", patched(good, REPORT_ROWS + 3 + 7, 0x7f)],
  ];
  return {
    about:
      "A judge's report, intent 1: the bytes that it signs with Ed25519 (RFC 8032) and that the ledger decodes. A loss is in 1e-6 nats, 2^63 added; null is exactly 2^63. user_data is what its attestation document says of it.",
    key: key(),
    identity: {
      chain_id: toHex(CHAIN),
      ledger_id: toHex(LEDGER),
      validator: HEAD.validator,
      address: toHex(named("validator's address")),
      user_data: toHex(userDataOf({ ...HEAD, address: named("validator's address") })),
    },
    messages: Object.entries(REPORTS).map(([name, message]) => ({
      name,
      ...head(message),
      window_digest: toHex(message.windowDigest),
      random_before: metric(message.randomBefore),
      entries: message.entries.map((entry) => ({
        uid: entry.uid,
        verdict: entry.verdict,
        own_before: metric(entry.ownBefore),
        own_after: metric(entry.ownAfter),
        random_after: metric(entry.randomAfter),
      })),
      ...signed(encodeReport(message)),
    })),
    refused: bad.map(([code, name, bytes]) => ({ name, code, bytes: toHex(bytes) })),
  };
}

/** `outcome.json`. */
export function outcome(): unknown {
  const good = encodeOutcome(OUTCOME);
  const option = OUTCOME_ROWS + 2 * 18;
  const bad: [string, string, Bytes][] = [
    ["truncated", "cut by one byte", good.slice(0, -1)],
    ["trailing_bytes", "one byte more", concat(good, Uint8Array.of(0))],
    ["wrong_intent", "a report's intent", patched(good, 0, 1)],
    ["wrong_version", "version 0", patched(good, 1, 0)],
    ["not_ascending", "the first uid again", patched(good, OUTCOME_ROWS + 18, 3, 0)],
    ["out_of_range", "a sigma of zero", patched(good, OUTCOME_ROWS + 18 + 10, 0)],
    ["non_canonical", "an option that is neither 0 nor 1", patched(good, option, 2)],
    [
      "bad_metrics",
      "losses without a manifest",
      concat(
        good.slice(0, option),
        Uint8Array.of(0),
        good.slice(option + 33),
      ),
    ],
  ];
  return {
    about:
      "A judge's outcome, intent 2: the bytes that it signs. mu is in 1e-6 with 2^63 added, sigma in 1e-6; the manifest's hash is an Option, and both losses go with it.",
    key: key(),
    messages: Object.entries(OUTCOMES).map(([name, message]) => ({
      name,
      ...head(message),
      settled_digest: toHex(message.settledDigest),
      ratings: message.ratings.map(({ uid, mu, sigma }) => ({
        uid,
        mu: u64(mu),
        sigma: u64(sigma),
      })),
      manifest_hash: message.manifestHash === null ? null : toHex(message.manifestHash),
      current_loss: metric(message.currentLoss),
      merged_loss: metric(message.mergedLoss),
      ...signed(encodeOutcome(message)),
    })),
    refused: bad.map(([code, name, bytes]) => ({ name, code, bytes: toHex(bytes) })),
  };
}
