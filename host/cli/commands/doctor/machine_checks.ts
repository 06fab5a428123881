/**
 * Checks of the machine that an enclave shall run on.
 *
 * @module
 */
import { type Check, fail, type Finding, ok, type Patient, skip, warn } from "./finding.ts";

/** An enclave takes both threads of a core, and leaves as many to its parent. */
const MIN_CPUS = 4;
/** What the judge of nano-GPT is given; see `deno task enclave:run --memory`. */
const ENCLAVE_BYTES = 4 * 2 ** 30;
/** What the courier needs beside it. */
const HOST_BYTES = 2 ** 30;
const ALLOCATOR = "nitro/ec2/setup.sh, or edit /etc/nitro_enclaves/allocator.yaml and restart " +
  "nitro-enclaves-allocator";

type Found = Omit<Finding, "name">;

/** Whether the judge is to dwell in an enclave of this very instance; else the finding that it is not. */
function nitro({ config, subjects }: Patient): Found | undefined {
  if (!subjects.has("validator")) return skip("no validator is set up here");
  const here = config.get("NITRO_ENCLAVE") || config.get("ENCLAVE_URL")?.startsWith("vsock:");
  return here ? undefined : skip("the judge is no enclave of this machine");
}

function onNitro(name: string, run: (patient: Patient) => Found): Check {
  return { name, run: (patient) => Promise.resolve(nitro(patient) ?? run(patient)) };
}

const cpus: Check = {
  name: "CPUs",
  run(patient) {
    const count = patient.machine.cpus();
    return Promise.resolve(
      nitro(patient) === undefined && count < MIN_CPUS
        ? warn(`${count}, of which an enclave takes 2`, "take an instance with 4 or more")
        : ok(String(count)),
    );
  },
};

const memory: Check = {
  name: "memory",
  run(patient) {
    const bytes = patient.machine.availableMemory();
    const text = `${(bytes / 2 ** 30).toFixed(1)} GiB can be had`;
    return Promise.resolve(
      bytes < HOST_BYTES
        ? warn(text, "end other programs, or take a larger instance: 1 GiB is the least")
        : ok(text),
    );
  },
};

const hugePages = onNitro("hugepages", ({ machine }) => {
  const pages = machine.hugePages();
  if (pages === null) return fail("this system has none", "an enclave needs Linux with huge pages");
  const free = pages.free * pages.sizeKib * 1_024;
  const text = `${pages.free} of ${pages.total} are free, ${(free / 2 ** 30).toFixed(1)} GiB`;
  if (pages.total === 0) return fail(text, ALLOCATOR);
  if (free >= ENCLAVE_BYTES) return ok(text);
  return warn(
    text,
    `an enclave that runs holds its own (deno task enclave:status); else ${ALLOCATOR}`,
  );
});

const vsock = onNitro(
  "vsock",
  ({ machine }) =>
    machine.exists("/dev/vsock") ? ok("/dev/vsock is there") : fail(
      "there is no /dev/vsock",
      "sudo modprobe vhost_vsock, or vsock on the parent instance",
    ),
);

const device = onNitro(
  "Nitro",
  ({ machine }) =>
    machine.exists("/dev/nitro_enclaves") ? ok("/dev/nitro_enclaves is there") : fail(
      "there is no /dev/nitro_enclaves",
      "start the instance with --enclave-options Enabled=true, then nitro/ec2/setup.sh",
    ),
);

/** See the names. */
export const MACHINE_CHECKS: readonly Check[] = [cpus, memory, hugePages, vsock, device];
