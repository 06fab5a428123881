import assert from "node:assert/strict";
import { commandsOf, GUIDES, refusalOf } from "./docs.ts";
import { read, ROOT } from "./sources.ts";

for (const guide of GUIDES) {
  Deno.test(`${guide}: every command can be called as it is written, or is marked untried`, () => {
    const found = commandsOf(read(guide)).map((command) => [command.text, refusalOf(command)]);
    assert.deepEqual(found.filter(([, why]) => why !== undefined), []);
    // What stands in a sentence is held to the same.
    const inline = [...read(guide).matchAll(/`((?:deno task|vram-[a-z]+) [^`\n]+)`/g)]
      .filter(([, text]) => !text!.includes("…"))
      .map(([, text]) => [text, refusalOf({ text: text!, untried: false })]);
    assert.deepEqual(inline.filter(([, why]) => why !== undefined), []);
  });

  Deno.test(`${guide}: every link and every path leads somewhere`, () => {
    const text = read(guide);
    const folder = new URL(guide, ROOT);
    const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!)
      .filter((target) => !/^[a-z]+:/.test(target));
    const paths = [...text.matchAll(
      /`((?:enclave|attestation|host|miner|nitro|contracts|tests)\/[\w./-]+)`/g,
    )].map(([, path]) => path!);
    const gone = [
      ...links.filter((target) => !exists(new URL(target, folder))),
      ...paths.filter((path) => !exists(new URL(path, ROOT))),
    ];
    assert.deepEqual(gone, []);
  });
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url) !== undefined;
  } catch {
    return false;
  }
}

Deno.test("commandsOf: takes commands of sh blocks, whole, with what is said behind them", () => {
  const markdown = "```sh\n# a remark\ndeno task test   # quick\nsudo x \\\n  --y  # untried: z\n" +
    "```\n```ts\nnot a command\n```\n";
  assert.deepEqual(commandsOf(markdown), [
    { text: "deno task test", untried: false },
    { text: "sudo x --y", untried: true },
  ]);
});

Deno.test("refusalOf: finds commands that nobody could call", () => {
  const bad: [string, RegExp][] = [
    ["deno task tset", /no task tset/],
    ["deno task vramhub scroes", /scroes/],
    ["vram-miner --test-mode --data-dir x --role lazy", /lazy/],
    ["vram-install --verison v1", /no --verison/],
    ["VRAMHUB_WALET_KEY=x vram-cli status", /no setting VRAMHUB_WALET_KEY/],
    ["sudo reboot", /not marked untried/],
    ["deno task restore x.backup --lst", /lst/],
  ];
  for (const [text, why] of bad) assert.match(refusalOf({ text, untried: false }) ?? "", why);
  const good = [
    "npx -y deno@2.9.6 task validator --test-mode",
    "vram-cli --version",
    "./install.sh --from x --version v1",
    "VRAMHUB_MINER_UID=3 vram-cli config",
  ];
  for (const text of good) assert.equal(refusalOf({ text, untried: false }), undefined, text);
});
