import assert from "node:assert/strict";
import { end, leftovers, leftoversAfter, MARKER } from "./processes.ts";

Deno.test({
  name: "leftovers: a process that carries the marker is found until it ends",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const run = crypto.randomUUID();
    const child = new Deno.Command("sleep", { args: ["60"], env: { [MARKER]: run } }).spawn();
    try {
      const [found, ...others] = leftovers(run);
      assert.deepEqual(others, []);
      assert.equal(found?.pid, child.pid);
      assert.match(found?.command ?? "", /sleep 60$/);
    } finally {
      end(leftovers(run));
      await child.status;
    }
    assert.deepEqual(await leftoversAfter(run, 1_000), []);
  },
});

Deno.test("end: a process that has ended already is no error", async () => {
  const child = new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).spawn();
  await child.status;
  end([{ pid: child.pid, command: "" }]);
});
