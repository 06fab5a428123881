import assert from "node:assert/strict";
import { parseReplayArgs } from "./args_replay.ts";
import { parseReportArgs } from "./args_report.ts";
import { ending } from "./testing.ts";

const words = (argv: string) => argv.split(" ").filter(Boolean);

Deno.test("parseReportArgs: takes a file and every option", () => {
  assert.deepEqual(parseReportArgs(["verify", "f"]), {
    file: "f",
    pcrs: undefined,
    simulatedRoot: undefined,
    json: false,
  });
  const argv = "verify f --pcrs p --simulated-root bundle --json";
  assert.deepEqual(parseReportArgs(argv.split(" ")), {
    file: "f",
    pcrs: "p",
    simulatedRoot: "bundle",
    json: true,
  });
});

Deno.test("parseReplayArgs: takes a directory, a window and a tolerance of two units", () => {
  assert.deepEqual(parseReplayArgs("replay --data-dir d --window 3".split(" ")), {
    dataDir: "d",
    window: 3,
    tolerance: 2,
    json: false,
  });
  const argv = "replay --data-dir d --window 0 --tolerance 0 --json";
  assert.deepEqual(parseReplayArgs(argv.split(" ")), {
    dataDir: "d",
    window: 0,
    tolerance: 0,
    json: true,
  });
});

Deno.test("report and replay: a wrong call has status 2, help says every status", () => {
  for (const argv of ["", "verify", "check f", "verify f g"]) {
    assert.equal(ending(parseReportArgs, words(argv)).status, 2, argv);
  }
  for (
    const argv of [
      "replay",
      "replay --data-dir d",
      "replay --window 1",
      "replay --data-dir d --window -1",
    ]
  ) assert.equal(ending(parseReplayArgs, words(argv)).status, 2, argv);
  for (
    const [parse, argv] of [[parseReportArgs, "--help"], [
      parseReplayArgs,
      "replay --help",
    ]] as const
  ) {
    const { status, text } = ending(parse, words(argv));
    assert.equal(status, 0);
    for (const code of [0, 1, 2, 3]) assert.match(text, new RegExp(`^ *${code} {2}\\w`, "m"));
  }
  assert.match(ending(parseReplayArgs, ["replay", "--help"]).text, /AVX2 instead of AVX-512/);
});
