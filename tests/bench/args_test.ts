import assert from "node:assert/strict";
import type { ArgsIo } from "../../host/cli/args.ts";
import { parseBenchArgs } from "./args.ts";

const io: ArgsIo = {
  stdout: () => {},
  stderr: () => {},
  exit: (status) => {
    throw new Error(String(status));
  },
};

Deno.test("parseBenchArgs: measures everything by default", () => {
  assert.deepEqual(parseBenchArgs([], io), {
    only: [],
    json: undefined,
    against: undefined,
    python: undefined,
  });
});

Deno.test("parseBenchArgs: takes every option", () => {
  const here = decodeURIComponent(new URL(import.meta.url).pathname);
  const argv = ["--only", "loss", "--only", "judge", "--json", "x.json", "--python", "py"];
  assert.deepEqual(parseBenchArgs([...argv, "--against", here], io), {
    only: ["loss", "judge"],
    json: "x.json",
    against: here,
    python: "py",
  });
});

Deno.test("parseBenchArgs: refuses an unknown group and a record that is not there with status 2", () => {
  for (const argv of [["--only", "speed"], ["--against", "no-such-record.json"], ["loss"]]) {
    assert.throws(() => parseBenchArgs(argv, io), { message: "2" }, argv.join(" "));
  }
});
