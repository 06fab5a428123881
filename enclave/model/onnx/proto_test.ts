import { deepEqual } from "node:assert/strict";
import { Message } from "./proto.ts";

Deno.test("Message: writes the examples of the encoding guide", () => {
  deepEqual([...new Message().int(1, 150).finish()], [0x08, 0x96, 0x01]);
  deepEqual(
    [...new Message().bytes(2, "testing").finish()],
    [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67],
  );
  deepEqual(
    [...new Message().bytes(3, new Message().int(1, 150)).finish()],
    [0x1a, 0x03, 0x08, 0x96, 0x01],
  );
});

Deno.test("Message: a negative integer takes ten bytes", () => {
  const ones = Array(9).fill(0xff);
  deepEqual([...new Message().int(1, -1).finish()], [0x08, ...ones, 0x01]);
});

Deno.test("Message: a float is four bytes, little endian", () => {
  // Field 2, wire type 5; 1.0 is 0x3f800000.
  deepEqual([...new Message().float(2, 1).finish()], [0x15, 0x00, 0x00, 0x80, 0x3f]);
});
