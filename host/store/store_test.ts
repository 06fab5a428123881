import { LocalStore } from "./local.ts";
import { testStore } from "./testing.ts";

testStore("LocalStore", async (body) => {
  const directory = await Deno.makeTempDir();
  try {
    await body(await LocalStore.open(`${directory}/store`));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
