import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { withCache } from "../../tests/support/cache.ts";
import { COMMIT, type Served, serveWheels } from "../../tests/support/wheels.ts";
import { installCuda, type InstallEvent } from "./install.ts";
import { LOADED, missingLibraries } from "./libraries.ts";
import { installFolder, libraryName, readCudaLock, RUNTIME_LIBRARY } from "./lock.ts";

const ignore = Deno.build.os !== "linux" || Deno.build.arch !== "x86_64";

/** An empty cache, served wheels and the folder of a binding whose runtime is of `commit`. */
async function withServer(
  body: (served: Served, binding: string, root: string) => Promise<void>,
  commit = COMMIT,
): Promise<void> {
  await withCache(async (root) => {
    await using served = serveWheels();
    const binding = `${root}/binding`;
    await Deno.mkdir(binding);
    await Deno.writeFile(
      `${binding}/${RUNTIME_LIBRARY}`,
      utf8(`\0ORT Build Info: git-branch=HEAD, git-commit-id=${commit}, build type=Release\0`),
    );
    await body(served, binding, root);
  });
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test({
  name: "installCuda: provider, libraries and a copy of the runtime in one folder, once",
  ignore,
  fn: () =>
    withServer(async ({ lock, requests }, binding, root) => {
      const events: InstallEvent[] = [];
      equal(missingLibraries(lock).includes("libonnxruntime_providers_cuda.so"), true);
      const first = await installCuda({ lock, binding, onEvent: (event) => events.push(event) });
      equal(first.already, false);
      equal(first.folder, installFolder(lock));
      const names = [
        "libcudart.so.13",
        RUNTIME_LIBRARY,
        "libonnxruntime_providers_cuda.so",
        "libonnxruntime_providers_shared.so",
      ];
      deepEqual(namesIn(first.folder), names);
      equal(Deno.statSync(`${first.folder}/${names[2]}`).size, 300_000);
      deepEqual(
        Deno.readFileSync(`${first.folder}/${RUNTIME_LIBRARY}`),
        Deno.readFileSync(`${binding}/${RUNTIME_LIBRARY}`),
      );
      deepEqual(missingLibraries(lock), []);
      deepEqual(events.filter(({ event }) => event === "unpack").map(({ wheel }) => wheel), [
        "ort",
        "cudart",
      ]);
      deepEqual(
        namesIn(`${root}/cuda`),
        [first.folder.split("/").at(-1), "lock"],
        "no wheel stays",
      );
      deepEqual(namesIn(binding), [RUNTIME_LIBRARY], "the binding's folder is left alone");
      const again = await installCuda({ lock, binding });
      deepEqual(again, { ...first, already: true });
      deepEqual(requests, ["ort", "cudart"]);
    }),
});

Deno.test({
  name: "installCuda: a download that was cut is gone on with, in the same call and in the next",
  ignore,
  fn: () =>
    withServer(async ({ lock, requests, trick }, binding, root) => {
      const cutAt = (from: number, to: number) =>
        trick((bytes) =>
          new Response(
            new ReadableStream({
              start(controller) {
                controller.enqueue(bytes.subarray(from, to));
                controller.close();
              },
            }),
            { status: from === 0 ? 200 : 206 },
          )
        );
      cutAt(0, 1_000);
      cutAt(1_000, 1_500);
      cutAt(1_500, 1_600);
      await rejects(installCuda({ lock, binding }), {
        name: "DownloadError",
        message:
          /^Cannot have ort 9\.9\.9: .* ended after 1600 of \d+ bytes; .* call the command again/,
      });
      deepEqual(namesIn(`${root}/cuda`), ["downloads", "lock"]);
      await installCuda({ lock, binding });
      deepEqual(requests, [
        "ort",
        "ort bytes=1000-",
        "ort bytes=1500-",
        "ort bytes=1600-",
        "cudart",
      ]);
      deepEqual(missingLibraries(lock), []);
    }),
});

Deno.test({
  name: "installCuda: takes no other bytes than those pinned",
  ignore,
  fn: () =>
    withServer(async ({ lock, trick }, binding) => {
      for (let i = 0; i < 3; i++) {
        trick((bytes) => new Response(bytes.map((byte, at) => at === 900 ? byte ^ 1 : byte)));
      }
      await rejects(installCuda({ lock, binding }), /it serves other bytes than those pinned/);
      trick((bytes) => new Response(new Uint8Array(bytes.length + 1)));
      await rejects(installCuda({ lock, binding }), /it serves more than \d+ bytes/);
      trick(() => new Response(null, { status: 410 }));
      await rejects(installCuda({ lock, binding }), /status 410/);
      ok(missingLibraries(lock).includes("libonnxruntime_providers_shared.so"));
    }),
});

Deno.test({
  name: "installCuda: a runtime or a wheel of another commit is refused",
  ignore,
  async fn() {
    await withServer(async ({ lock, requests }, binding) => {
      await rejects(installCuda({ lock, binding }), {
        name: "InstallError",
        message:
          /of onnxruntime 9\.9\.9, commit 0123456ab: .*libonnxruntime\.so\.1 is of commit fedcba987/,
      });
      deepEqual(requests, [], "before anything is fetched");
      const other = { ...lock, runtime: { ...lock.runtime, commit: "fedcba987" } };
      await rejects(
        installCuda({ lock: other, binding }),
        /ort 9\.9\.9 is of commit 0123456ab, not of onnxruntime 9\.9\.9's fedcba987/,
      );
    }, "fedcba987");
  },
});

Deno.test({
  name: "installCuda: one installation at a time",
  ignore,
  fn: () =>
    withServer(async ({ lock }, binding, root) => {
      await Deno.mkdir(`${root}/cuda`);
      using other = Deno.openSync(`${root}/cuda/lock`, { create: true, write: true });
      equal(other.tryLockSync(true), true);
      await rejects(installCuda({ lock, binding }), /another installation is running/);
    }),
});

Deno.test("readCudaLock: names the wheel whose pin is not whole", () => {
  const lock = readCudaLock();
  const text = (wheels: unknown) => JSON.stringify({ ...lock, version: 1, wheels });
  equal(readCudaLock(text(lock.wheels)).wheels.length, lock.wheels.length);
  for (const field of ["sha256", "size", "url", "keep"]) {
    const [first, ...rest] = lock.wheels;
    const { [field as "size"]: _gone, ...bent } = first!;
    let message = "";
    try {
      readCudaLock(text([bent, ...rest]));
    } catch (error) {
      ({ message } = error as Error);
    }
    match(message, /pin of 'onnxruntime-gpu' is not whole/, field);
  }
});

Deno.test("the lock of CUDA is of the onnxruntime that this project runs, and has what is loaded", () => {
  const lock = readCudaLock();
  const { imports } = JSON.parse(
    Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)),
  );
  equal(imports["onnxruntime-node"], `npm:onnxruntime-node@${lock.runtime.version}`);
  equal(lock.wheels[0]!.version, lock.runtime.version);
  const kept = lock.wheels.flatMap(({ keep }) => keep.map(libraryName));
  deepEqual(LOADED.filter((name) => !kept.includes(name)), []);
});
