/**
 * The image's commands: build, boot, reproduce, pin.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { buildImage } from "../build/build.ts";
import { LOCK_FILE, readLock, writeLock } from "../lock.ts";
import { newestPins, provePins } from "../pin.ts";
import { buildEmulator } from "../qemu/build.ts";
import { startGuest } from "../qemu/guest.ts";
import { reproduce } from "./reproduce.ts";

const HELP = `The enclave's image

  build       kernel, ramdisks, EIF, PCRs and bill of materials into --out; minutes the first time
  boot        start the image in QEMU until Ctrl-C or its end; minutes the first time
  reproduce   build twice, the kernel too, by builders with different paths, umasks, time zones, locales,
              CPUs and dates, and compare every byte
  pin         pin the newest packages of Debian in nitro/lock.json: another image, to be approved anew

  --out DIR     the folder of the outputs (dist)
  --unpinned    build: take the newest Debian packages; these PCRs are not the release's; boot: such an image
  --memory MIB  boot: memory of the guest (2048)
  --json        the result as JSON on standard output
  --help        this text

build needs: gcc make flex bison m4 bc libelf-dev xz-utils dpkg; boot also: ninja, cargo, pkg-config, python3
(with venv), libglib2.0-dev libcbor-dev libgnutls28-dev libfdt-dev
`;

/** What a command has to report. */
type Result = Readonly<Record<string, unknown>>;

/** Settings of all commands. */
interface Settings {
  readonly out: string;
  readonly unpinned: boolean;
  readonly memory: number;
  readonly progress: (line: string) => void;
}

async function build({ out, progress, unpinned }: Settings): Promise<Result> {
  return { ...await buildImage({ out, progress, unpinned }), unpinned };
}

async function boot({ out, memory, progress, unpinned }: Settings): Promise<Result> {
  const emulator = await buildEmulator(readLock(), progress);
  const eif = `${out}/vramhub-enclave${unpinned ? "-UNPINNED" : ""}.eif`;
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
  try {
    await using guest = await startGuest({ eif, emulator, memory });
    const seconds = (ms: number) => (ms / 1_000).toFixed(1);
    progress(
      `heartbeat after ${seconds(guest.heartbeatMs)} s, the judge after ${seconds(guest.bootMs)} s`,
    );
    progress(
      `${guest.socket}: write "CONNECT 3000\\n", read "OK …", then speak HTTP; Ctrl-C ends it`,
    );
    const aborted = new Promise<void>((resolve) => {
      stop.signal.addEventListener("abort", () => resolve(), { once: true });
      if (stop.signal.aborted) resolve();
    });
    await Promise.race([guest.ended, aborted]);
    if (!stop.signal.aborted) progress(guest.stderr().trim());
    return {
      heartbeat_ms: Math.round(guest.heartbeatMs),
      boot_ms: Math.round(guest.bootMs),
      stopped: stop.signal.aborted,
    };
  } finally {
    Deno.removeSignalListener("SIGINT", onSignal);
    Deno.removeSignalListener("SIGTERM", onSignal);
  }
}

async function twice({ progress }: Settings): Promise<Result> {
  const result = await reproduce(progress);
  if (!result.reproduced) Deno.exitCode = 1;
  return { ...result };
}

async function pin({ progress }: Settings): Promise<Result> {
  const before = readLock();
  const lock = await newestPins(before, { progress });
  await provePins(lock, progress);
  await Deno.writeTextFile(LOCK_FILE, writeLock(lock));
  const changed = Object.keys(lock).filter((name) => lock[name]!.sha256 !== before[name]?.sha256);
  progress(
    changed.length === 0 ? "Every pin is the newest" : "Pinned: build, and publish new PCRs",
  );
  return { changed };
}

const COMMANDS: Readonly<Record<string, (settings: Settings) => Promise<Result>>> = {
  build,
  boot,
  reproduce: twice,
  pin,
};

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      out: { type: "string", default: "dist" },
      unpinned: { type: "boolean", default: false },
      memory: { type: "string", default: "2048" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [name = "", ...rest] = positionals;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const command = COMMANDS[name];
  const memory = Number(values.memory);
  if (command === undefined || rest.length > 0 || !Number.isSafeInteger(memory) || memory < 512) {
    console.error(HELP);
    return 2;
  }
  const began = performance.now();
  const progress = (line: string) => {
    const seconds = ((performance.now() - began) / 1_000).toFixed(1).padStart(6);
    console.error(`${seconds} s  ${line}`);
  };
  const result = await command({ out: values.out, unpinned: values.unpinned, memory, progress });
  if (values.json) console.log(JSON.stringify(result));
  return Deno.exitCode;
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main([...Deno.args]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exitCode = 1;
  }
}
