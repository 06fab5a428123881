import assert from "node:assert/strict";
import { parseAuditArgs } from "./args_audit.ts";
import { ending } from "./testing.ts";

const HEX = (value: string) => value.repeat(48);
const PCRS = ["--pcr0", HEX("01"), "--pcr1", HEX("02"), "--pcr2", HEX("03")];

Deno.test("parseAuditArgs: holds a document against a file, now, by default", () => {
  assert.deepEqual(parseAuditArgs(["document", "judge.bin", "--pcrs", "pcrs.json"]), {
    document: "judge.bin",
    approved: { kind: "file", path: "pcrs.json" },
    at: "now",
    nonce: undefined,
    allowDebug: false,
    json: false,
  });
});

Deno.test("parseAuditArgs: takes every option", () => {
  const argv = ["document", ...PCRS, "--at", "2026-01-31T12:00:00Z", "--nonce", "00FF", "-"];
  assert.deepEqual(parseAuditArgs([...argv, "--allow-debug", "--json"]), {
    document: "-",
    approved: {
      kind: "pcrs",
      pcrs: [1, 2, 3].map((value) => new Uint8Array(48).fill(value)),
    },
    at: Date.UTC(2026, 0, 31, 12),
    nonce: new Uint8Array([0, 255]),
    allowDebug: true,
    json: true,
  });
  const ledger = ["document", "x", "--ledger", "d", "--simulated-root", "--at", "document"];
  const { approved, at } = parseAuditArgs(ledger);
  assert.deepEqual([approved, at], [
    { kind: "ledger", dir: "d", simulatedRoot: true },
    "document",
  ]);
});

Deno.test("parseAuditArgs: there is no audit without measurements, nor with two kinds of them", () => {
  const bad: [argv: string[], message: RegExp][] = [
    [[], /first word is "document"/],
    [["image", "x", ...PCRS], /first word is "document"|image/],
    [["document", "x"], /Cannot audit without approved measurements: give .--pcrs/],
    [["document", ...PCRS], /DOCUMENT|argument/],
    [["document", "x", ...PCRS.slice(2)], /--pcr0/],
    [["document", "x", ...PCRS, "--pcrs", "f"], /cannot be used together/],
    [["document", "x", ...PCRS, "--ledger", "d"], /cannot be used together/],
    [["document", "x", ...PCRS, "--simulated-root"], /--simulated-root/],
    [["document", "x", "--pcrs", "f", "--simulated-root"], /--simulated-root/],
    [["document", "x", "--simulated-root"], /--ledger/],
    [["document", "x", "y", ...PCRS], /"y"/],
  ];
  for (const [argv, message] of bad) {
    const { status, text } = ending(parseAuditArgs, argv);
    assert.equal(status, 2, argv.join(" "));
    assert.match(text, message);
  }
});

Deno.test("parseAuditArgs: a bad value names the option and what it takes", () => {
  const bad: [argv: string[], message: RegExp][] = [
    [["--at", "yesterday"], /--at.*Expected now, document or a time as/],
    [["--at", "2026-02-30T00:00:00Z"], /--at.*Expected/],
    [["--nonce", ""], /--nonce.*1 to 1024 bytes in hexadecimal/],
    [["--nonce", "0"], /--nonce.*in hexadecimal/],
    [["--nonce", "00".repeat(1_025)], /--nonce.*1 to 1024/],
  ];
  for (const [argv, message] of bad) {
    const { status, text } = ending(parseAuditArgs, ["document", "x", "--pcrs", "f", ...argv]);
    assert.equal(status, 2, argv.join(" "));
    assert.match(text, message);
  }
  for (const value of ["01", HEX("01") + "00", "zz".repeat(48)]) {
    const { text } = ending(parseAuditArgs, ["document", "x", ...PCRS.slice(2), "--pcr0", value]);
    assert.match(text, /--pcr0.*48 bytes in hexadecimal/);
  }
});

Deno.test("parseAuditArgs: --help names every status, and its examples parse", () => {
  for (const argv of [["--help"], ["document", "--help"]]) {
    const { status, text } = ending(parseAuditArgs, argv);
    assert.equal(status, 0);
    for (const code of [0, 2, 3, 4, 5, 6, 7]) {
      assert.match(text, new RegExp(`^ +${code}  \\w`, "m"));
    }
  }
  const examples = [
    ...ending(parseAuditArgs, ["--help"]).text.matchAll(/^ {4}deno task audit (.*)$/gm),
  ];
  assert.equal(examples.length, 3);
  for (const [, argv] of examples) parseAuditArgs(argv!.trim().split(" "));
});
