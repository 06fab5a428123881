import assert from "node:assert/strict";
import { checkMachine, type Machine } from "./checks.ts";

const RANDOM = "/sys/class/misc/hw_random/rng_current";
const CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
const CLOCKS = "/sys/devices/system/clocksource/clocksource0/available_clocksource";

function machine(
  files: Readonly<Record<string, string>> = {},
  interfaces: readonly string[] = ["lo"],
  device = true,
): Machine {
  const all: Record<string, string> = {
    [RANDOM]: "nsm-hwrng",
    [CLOCK]: "kvm-clock",
    [CLOCKS]: "kvm-clock tsc acpi_pm",
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
  assert.throws(
    () => checkMachine(machine({ [CLOCK]: "refined-jiffies" })),
    /clock is 'refined-jiffies', not kvm-clock or tsc/,
  );
  assert.throws(() => checkMachine(machine({}, ["lo", "eth0"])), /there is a network: eth0/);
});

Deno.test("checkMachine: an emulator without KVM may count jiffies, and nothing else", () => {
  const clocks = { [CLOCKS]: "refined-jiffies jiffies" };
  checkMachine(machine({ ...clocks, [CLOCK]: "refined-jiffies" }));
  assert.throws(() => checkMachine(machine({ ...clocks, [CLOCK]: "jiffies" })), /'jiffies'/);
});
