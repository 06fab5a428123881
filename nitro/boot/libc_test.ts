import assert from "node:assert/strict";

/** On a terminal: give up a permission that was granted, then use it. */
const PROGRAM = `
import { closeInput } from "${new URL("./libc.ts", import.meta.url)}";
if (Deno.args[0] === "closed") closeInput();
Deno.permissions.revokeSync({ name: "env" });
try {
  Deno.env.get("HOME");
  console.log("outcome: granted again");
} catch (error) {
  console.log("outcome: " + error.name);
}
Deno.exit(0);
`;

/** What becomes of {@linkcode PROGRAM} on a terminal at which somebody types `y`. */
async function outcome(input: "closed" | "open"): Promise<string> {
  const program = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(program, PROGRAM);
    const command = `'${Deno.execPath()}' run -A --no-check --quiet '${program}' ${input}`;
    const child = new Deno.Command("script", {
      args: ["-qec", command, "/dev/null"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    // A question throws away what was typed before it: so type for as long as it runs.
    const keyboard = child.stdin.getWriter();
    const typing = setInterval(() => {
      keyboard.write(new TextEncoder().encode("y\n")).catch(() => {}); // `script` has ended
    }, 200);
    const shown = await new Response(child.stdout).text();
    clearInterval(typing);
    await keyboard.close().catch(() => {});
    await child.status;
    return /outcome: (.*?)\r?\n/.exec(shown)?.[1] ?? shown;
  } finally {
    await Deno.remove(program);
  }
}

Deno.test({
  name: "closeInput: nobody at the console can grant again what was given up",
  ignore: Deno.build.os !== "linux",
  async fn() {
    assert.equal(
      await outcome("open"),
      "granted again",
      "the danger is gone, and with it the need",
    );
    assert.equal(await outcome("closed"), "NotCapable");
  },
});
