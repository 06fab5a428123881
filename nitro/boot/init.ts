#!/bin/deno -A
/**
 * PID 1 of the enclave, and its only process: check the files, mount, check the machine, say that it is alive,
 * become the judge. There is no shell and no other program. Whatever fails ends the process, and with it the
 * enclave: the kernel panics without its PID 1 and reboots.
 *
 * Nothing is read from the kernel's command line or the environment, both of which the host can touch.
 *
 * @module
 */
import { checkMachine } from "./checks.ts";
import { closeInput, mount, MS_NODEV, MS_NOEXEC, MS_NOSUID } from "./libc.ts";
import { checkTree } from "./tree.ts";

/** What the program's entry offers. */
interface Program {
  serveJudge(): Promise<{ readonly ended: Promise<unknown> }>;
}

/** The manifests of the two ramdisks: both must be there. */
const MANIFESTS = ["/manifest/platform", "/manifest/program"];
/** The entry of the program's ramdisk. PID 1 knows the judge by this path only. */
const PROGRAM = "/app/enclave/main.ts";
/** The parent instance waits here for one byte, or gives the enclave up. */
const HEARTBEAT = { cid: 3, port: 9000, byte: 0xb7 };

async function main(): Promise<void> {
  for (const path of MANIFESTS) say(`${checkTree(path)} files are what ${path} says`);
  mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  mount("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  mount("devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC);
  closeInput();
  for (const line of checkMachine()) say(line);
  // Words of the command line become variables: none may steer the program or its libraries.
  for (const name of Object.keys(Deno.env.toObject())) Deno.env.delete(name);
  Deno.env.set("ORT_DISABLE_TELEMETRY", "1");
  await heartbeat();
  const program: Program = await import(PROGRAM);
  const judge = await program.serveJudge();
  await judge.ended;
  throw new Error("the judge ended");
}

async function heartbeat(): Promise<void> {
  const { cid, port, byte } = HEARTBEAT;
  using parent = await Deno.connect({ transport: "vsock", cid, port });
  await parent.write(Uint8Array.of(byte));
  const answer = new Uint8Array(1);
  if (await parent.read(answer) !== 1 || answer[0] !== byte) {
    throw new Error("the parent does not answer the heartbeat");
  }
}

function say(line: string): void {
  console.log(`init: ${line}`);
}

// The last lines, so that a copy cut short does nothing.
try {
  await main();
} catch (error) {
  console.error(`init: cannot boot: ${error instanceof Error ? error.message : error}`);
}
Deno.exit(1);
