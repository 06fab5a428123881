import { deepEqual, equal, throws } from "node:assert/strict";
import { askDriver } from "./driver.ts";

/** NVIDIA's driver as far as it is asked; INIT is what it starts with. */
const STAND_IN = `
#include <string.h>
int cuInit(unsigned flags) { return INIT; }
int cuDriverGetVersion(int *version) { *version = 13020; return 0; }
int cuDeviceGetCount(int *count) { *count = 2; return 0; }
int cuDeviceGet(int *device, int index) { *device = 40 + index; return 0; }
int cuDeviceGetName(char *name, int length, int device) {
  strncpy(name, device == 41 ? "Second" : "First", length);
  return 0;
}
int cuDeviceTotalMem_v2(unsigned long long *bytes, int device) {
  *bytes = 80ull << 30;
  return device > 41;
}
`;

const gcc = await new Deno.Command("gcc", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

async function withDriver(init: number, body: (library: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const source = `${folder}/driver.c`;
    const library = `${folder}/driver.so`;
    await Deno.writeTextFile(source, STAND_IN);
    const { success } = await new Deno.Command("gcc", {
      args: ["-shared", "-fPIC", `-DINIT=${init}`, "-o", library, source],
    }).output();
    equal(success, true);
    body(library);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("askDriver: no driver is an answer", () => {
  equal(askDriver("no-such-driver.so"), undefined);
});

Deno.test({
  name: "askDriver: GPUs with number, name and memory; none; a refusal (needs gcc)",
  ignore: !gcc,
  async fn() {
    const memory = 80 * 2 ** 30;
    await withDriver(0, (library) =>
      deepEqual(askDriver(library), {
        cuda: 13_020,
        gpus: [{ index: 0, name: "First", memory }, { index: 1, name: "Second", memory }],
      }));
    await withDriver(
      100,
      (library) => deepEqual(askDriver(library), { cuda: 13_020, gpus: [] }),
    );
    await withDriver(3, (library) => {
      throws(() => askDriver(library), /cuInit answers status 3/);
    });
  },
});
