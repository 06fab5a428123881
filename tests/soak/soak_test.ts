import assert from "node:assert/strict";

Deno.test("soak: 20 windows settle, coins are conserved after each, memory and open files stay flat", async () => {
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("soak.ts", import.meta.url).pathname]
      .concat("--windows", "20", "--json"),
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const { growth, settled } = JSON.parse(new TextDecoder().decode(stdout));
  assert.equal(settled, 20);
  assert.equal(growth.files, 0);
});
