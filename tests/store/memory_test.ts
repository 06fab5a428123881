/**
 * What large transfers over a real S3 server take of a process's memory: at most the figure that host/README.md states. Runs
 * where the server has been built; the figures themselves are `deno task bench --only store`'s.
 *
 * @module
 */
import assert from "node:assert/strict";
import { inWorker, MEMORY_BOUND, type Task } from "../bench/store_memory.ts";
import { findServer, startServer } from "../support/s3_server.ts";

const program = await findServer();

const TASKS: readonly (readonly [what: string, tasks: readonly Task[]])[] = [
  ["a checkpoint of 498 MB", ["put checkpoint", "get checkpoint"]],
  ["256 gradients", ["put gradients", "read gradients"]],
];

for (const [what, tasks] of TASKS) {
  Deno.test({
    name: `S3Store: moving ${what} takes at most ${MEMORY_BOUND} MiB of memory, weights apart`,
    ignore: program === undefined || Deno.build.os !== "linux",
    async fn() {
      await using server = await startServer(program!);
      const bucket = await server.bucket("memory");
      for (const task of tasks) {
        const { peak } = await inWorker(task, bucket);
        const mib = peak! / 2 ** 20;
        assert(mib <= MEMORY_BOUND, `${task} takes ${mib.toFixed(0)} MiB`);
      }
    },
  });
}
