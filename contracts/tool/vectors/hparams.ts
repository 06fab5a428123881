/**
 * Tests of hyperparameters and of the calendar of windows.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { BcsWriter } from "../../../enclave/protocol/bcs.ts";
import {
  checkHparams,
  DEFAULT_HPARAMS,
  HPARAM_FIELDS,
  type Hparams,
} from "../../../enclave/protocol/hparams.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { equals, hex, list, type MoveTest, type MoveTests, vectors } from "./write.ts";

const REFUSED = "hparams::EInvalidValue";
const BYTES = { u8: 1, u16: 2, u32: 4, u64: 8 } as const;

/** The defaults with `change`, encoded with no check. */
function encode(change: Readonly<Record<string, bigint | string>> = {}): string {
  const writer = new BcsWriter();
  for (const [name, width] of HPARAM_FIELDS) {
    const value = BigInt(change[name] ?? DEFAULT_HPARAMS[name]);
    if (width === "u64") writer.u64(value);
    else writer[width](Number(value));
  }
  return toHex(writer.finish());
}

/** Whether TypeScript takes these, bounds and rules: a field at its bound may break a rule. */
function holds(hparams: Hparams): boolean {
  try {
    checkHparams(hparams);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** Encoding, digest, bounds of every field, and the rules that join them. */
export function hparamsTests(): MoveTests {
  const { encoded, accepted, refused } = vectors("hparams");
  const tests: MoveTest[] = [{
    name: "defaults are the shared ones",
    body: [equals("hparams::default_params().encode()", hex(encode()))],
  }];
  for (const { name, values, bcs, digest } of encoded) {
    const getters = Object.entries(values).map(([field, value]) =>
      equals(`params.${field}()`, value as string)
    );
    tests.push({
      name: `${name} is read and written`,
      body: [
        `let params = hparams::decode(${hex(bcs)});`,
        ...getters,
        equals("params.encode()", hex(bcs)),
        equals("params.digest()", hex(digest)),
      ],
    });
  }
  for (const [name, width, , min, max] of HPARAM_FIELDS) {
    const bounds: [string, bigint][] = [
      ["at its least", BigInt(min)],
      ["at its most", BigInt(max)],
      ["below its least", BigInt(min) - 1n],
      ["above its most", BigInt(max) + 1n],
    ];
    for (const [what, value] of bounds) {
      if (value < 0n || value >= 1n << BigInt(8 * BYTES[width])) continue;
      const read = `hparams::decode(${hex(encode({ [name]: value }))}).${name}()`;
      tests.push(
        holds({ ...DEFAULT_HPARAMS, [name]: Number(value) })
          ? { name: `${name} ${what} is read`, body: [equals(read, value)] }
          : { name: `${name} ${what} is refused`, body: [`${read};`], aborts: REFUSED },
      );
    }
  }
  const check = ({ change, beacon_period_ms }: {
    change: Record<string, string>;
    beacon_period_ms: string;
  }) => [
    `let params = hparams::decode(${hex(encode(change))});`,
    `hparams::check_rules_for_testing(&params, ${beacon_period_ms});`,
  ];
  for (const each of accepted) {
    tests.push({ name: `change of ${Object.keys(each.change)} is accepted`, body: check(each) });
  }
  for (const each of refused) {
    tests.push({
      name: `change of ${Object.keys(each.change)} is refused`,
      body: check(each),
      aborts: REFUSED,
    });
  }
  const whole = encode();
  for (const [name, bytes] of [["cut by a byte", whole.slice(0, -2)], ["longer", `${whole}00`]]) {
    tests.push({
      name: `${name} is refused`,
      body: [`hparams::decode(${hex(bytes!)});`],
      aborts: REFUSED,
    });
  }
  return { module: "hparams", topic: "fields", uses: ["vramhub::hparams"], tests };
}

/** Which window a time is in, and its deadlines, over changes of length. */
export function windowTests(): MoveTests {
  const { bps, calendars } = vectors("windows");
  for (const [name, value] of Object.entries(bps)) {
    const known: Readonly<Record<string, number>> = DEFAULT_HPARAMS;
    if (known[name] !== value) throw new RangeError(`Cannot test ${name} as it is no default`);
  }
  const tests = calendars.map(({ name, epochs, at, deadlines }: {
    name: string;
    epochs: { first_window: string; start_ms: string; window_ms: string }[];
    at: { now_ms: string; window: string }[];
    deadlines: Record<string, string>[];
  }): MoveTest => ({
    name: `calendar ${name}`,
    body: [
      `let epochs = ${
        list(
          "hparams::Epoch",
          epochs.map(({ first_window, start_ms, window_ms }) =>
            `hparams::new_epoch_for_testing(${first_window}, ${start_ms}, ${window_ms})`
          ),
        )
      };`,
      "let params = hparams::default_params();",
      ...at.map(({ now_ms, window }) =>
        equals(`hparams::window_in_for_testing(&epochs, ${now_ms})`, window)
      ),
      ...deadlines.flatMap(({ window, ...times }) => [
        `let times = hparams::deadlines_in_for_testing(&epochs, ${window}, &params);`,
        ...Object.entries(times).map(([what, value]) => equals(`times.${what}()`, value)),
      ]),
    ],
  }));
  return { module: "hparams", topic: "windows", uses: ["vramhub::hparams"], tests };
}
