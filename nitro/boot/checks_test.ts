import assert from "node:assert/strict";
import { checkMachine, type Machine } from "./checks.ts";

const RANDOM = "/sys/class/misc/hw_random/rng_current";
const CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

function machine(
  files: Readonly<Record<string, string>> = {},
  interfaces: readonly string[] = ["lo"],
  device = true,
): Machine {
  const all: Record<string, string> = {
    [RANDOM]: "nsm-hwrng",
    [CLOCK]: "kvm-clock",
    ...files,
  };
  return {
    read: (path) => all[path]!,
    list: () => [...interfaces],
    isDevice: () => device,
  };
}

Deno.test("checkMachine: an enclave passes, and one line says each thing", () => {
  assert.deepEqual(checkMachine(machine()), [
    "random nsm-hwrng",
    "clock kvm-clock",
    "network none",
  ]);
});

Deno.test("checkMachine: every other machine is refused by what it lacks", () => {
  assert.throws(() => checkMachine(machine({}, ["lo"], false)), /\/dev\/nsm is not a device/);
  assert.throws(() => checkMachine(machine({ [RANDOM]: "virtio_rng.0" })), /'virtio_rng\.0'/);
  assert.throws(() => checkMachine(machine({ [RANDOM]: "" })), /generator is ''/);
  assert.throws(() => checkMachine(machine({ [CLOCK]: "hpet" })), /clock is 'hpet'/);
  assert.throws(() => checkMachine(machine({}, ["lo", "eth0"])), /there is a network: eth0/);
});

Deno.test("checkMachine: the CPU's own counter is a clock, counted interrupts are none", () => {
  assert.ok(checkMachine(machine({ [CLOCK]: "tsc" })).includes("clock tsc"));
  // What a kernel is left with where nothing drives its clock, as under an emulator that does not say how fast it is.
  for (const clock of ["refined-jiffies", "jiffies", "tsc-early", "acpi_pm", ""]) {
    assert.throws(
      () => checkMachine(machine({ [CLOCK]: clock })),
      { message: `the clock is '${clock}', not kvm-clock or tsc` },
    );
  }
});
