/**
 * `deno task test:localnet`: the tests that need a local Sui network, where there is a `sui` command.
 *
 * @module
 */
import { hasSui } from "./node.ts";

if (hasSui()) {
  const folder = decodeURIComponent(new URL("./", import.meta.url).pathname);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", folder],
    stdin: "null",
  }).spawn().status;
  Deno.exit(code);
}
console.log("skipped: sui is not on PATH");
