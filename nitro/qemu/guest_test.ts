import assert from "node:assert/strict";
import { type Guest, GuestError, startGuest } from "./guest.ts";

/** Stands for the device: it makes the file that the guest's start waits for. */
const VSOCK = `
file=\${2#*socket=}
: > "\${file%%,*}"
exec sleep 60`;

/** Start with shell scripts in place of QEMU and the device. */
async function start(qemu: string, folder?: string): Promise<Guest> {
  const dir = await Deno.makeTempDir();
  const script = async (name: string, lines: string) => {
    await Deno.writeTextFile(`${dir}/${name}`, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
    return `${dir}/${name}`;
  };
  const emulator = {
    qemu: await script("qemu", qemu),
    vsock: await script("vsock", VSOCK),
    firmware: dir,
  };
  try {
    const where = folder === undefined ? {} : { folder };
    return await startGuest({ eif: "none.eif", emulator, ...where });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("startGuest: says what QEMU said where it dies, and leaves nothing", async () => {
  const folder = await Deno.makeTempDir();
  await assert.rejects(start("echo 'qemu: no such machine' >&2; exit 1", folder), (error) => {
    assert.ok(error instanceof GuestError);
    assert.equal(error.message, "Cannot boot none.eif: it ended\nqemu: no such machine\n");
    return true;
  });
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});

Deno.test("startGuest: shows the end of the console, and no more of standard error than that", async () => {
  const qemu = `
for word; do case $word in file:*) echo 'Kernel panic' > "\${word#file:}";; esac; done
i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i + 1)); done
exit 1`;
  await assert.rejects(start(qemu), (error) => {
    const { message } = error as Error;
    assert.match(message, /^Cannot boot none\.eif: it ended\n/);
    assert.match(message, /line 1999\n\nKernel panic\n$/);
    assert.ok(!message.includes("line 0\n"));
    return true;
  });
});
