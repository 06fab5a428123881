import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, fromHex, utf8 } from "../protocol/bytes.ts";
import { encodeCanonical } from "../protocol/cbor.ts";
import { DeviceNsm, NsmError } from "./device.ts";
import { NSM_IOCTL, openNsm } from "./ioctl.ts";
import { MAX_REQUEST, MAX_RESPONSE } from "./messages.ts";

/** A module that gives `response` to whatever it is asked, and keeps the last request. */
function answering(response: Uint8Array) {
  const asked: { request?: Bytes } = {};
  const nsm = new DeviceNsm({
    call(request) {
      asked.request = request;
      return new Uint8Array(response);
    },
    close() {},
  });
  return { nsm, asked };
}

const failure = (code: string) => (error: unknown) => {
  assert.ok(error instanceof NsmError, String(error));
  assert.equal(error.code, code);
  return true;
};

/** A CBOR text: every name in these bytes is shorter than 24. */
const name = (text: string) => concat(new Uint8Array([0x60 + text.length]), utf8(text));

// By hand, after the enums of aws-nitro-enclaves-nsm-api's src/api/mod.rs.
const RANDOM_RESPONSE = concat(
  fromHex("a1"), // map of 1
  name("GetRandom"),
  fromHex("a1"), // map of 1
  name("random"),
  fromHex("590100"), // byte string, 256 bytes
  new Uint8Array(256).fill(7),
);
const DESCRIBE_RESPONSE = concat(
  fromHex("a1"), // map of 1
  name("DescribeNSM"),
  fromHex("a7"), // map of 7, in the order of the struct: no canonical encoder wrote this
  name("version_major"),
  fromHex("01"),
  name("version_minor"),
  fromHex("00"),
  name("version_patch"),
  fromHex("00"),
  name("module_id"),
  name("i-0123-enc4567"),
  name("max_pcrs"),
  fromHex("1820"), // 32
  name("locked_pcrs"),
  fromHex("83000102"), // array of 3: 0, 1, 2
  name("digest"),
  name("SHA384"),
);
const PCR_RESPONSE = concat(
  fromHex("a1"), // map of 1
  name("DescribePCR"),
  fromHex("a2"), // map of 2
  name("lock"),
  fromHex("f5"), // true
  name("data"),
  fromHex("5830"), // byte string, 48 bytes
  new Uint8Array(48).fill(9),
);
const ERROR_RESPONSE = concat(fromHex("a1"), name("Error"), name("InvalidIndex"));

/** A document with this payload, and a response that carries it. */
function attestation(payload: Bytes, prefix = ""): Bytes {
  const document = concat(
    fromHex(prefix),
    fromHex("84"), // array of 4
    fromHex("44a1013822"), // byte string of 4 bytes: {1: -35}
    fromHex("a0"), // map of 0
    encodeCanonical(payload),
    fromHex("5860"), // byte string, 96 bytes
    new Uint8Array(96),
  );
  return encodeCanonical({ Attestation: { document } });
}

Deno.test("DeviceNsm: requests are the API's bytes", async () => {
  const { nsm, asked } = answering(RANDOM_RESPONSE);
  nsm.random(1);
  assert.deepEqual(asked.request, name("GetRandom"));
  assert.throws(() => nsm.describe(), failure("bad_response"));
  assert.deepEqual(asked.request, name("DescribeNSM"));
  assert.throws(() => nsm.pcr(31), failure("bad_response"));
  assert.deepEqual(
    asked.request,
    // map of 1: "DescribePCR" → map of 1: "index" → 31
    concat(fromHex("a1"), name("DescribePCR"), fromHex("a1"), name("index"), fromHex("181f")),
  );
  const publicKey = new Uint8Array([1]);
  await assert.rejects(
    nsm.attest({ publicKey, userData: new Uint8Array(0) }),
    failure("bad_response"),
  );
  assert.deepEqual(
    asked.request,
    concat(
      fromHex("a1"),
      name("Attestation"),
      fromHex("a3"), // map of 3, keys in the order of RFC 8949 §4.2.1
      name("nonce"),
      fromHex("f6"), // null: None
      name("user_data"),
      fromHex("40"), // byte string of 0 bytes
      name("public_key"),
      fromHex("4101"), // byte string of 1 byte
    ),
  );
});

Deno.test("DeviceNsm: reads the API's responses", async () => {
  assert.deepEqual(answering(RANDOM_RESPONSE).nsm.random(256), new Uint8Array(256).fill(7));
  assert.deepEqual(answering(RANDOM_RESPONSE).nsm.random(3), new Uint8Array(3).fill(7));
  assert.deepEqual(answering(DESCRIBE_RESPONSE).nsm.describe(), {
    version: "1.0.0",
    moduleId: "i-0123-enc4567",
    maxPcrs: 32,
    lockedPcrs: [0, 1, 2],
  });
  assert.deepEqual(answering(PCR_RESPONSE).nsm.pcr(0), {
    value: new Uint8Array(48).fill(9),
    locked: true,
  });
  const { document } = await answering(attestation(encodeCanonical({ timestamp: 5 }))).nsm.attest({
    publicKey: new Uint8Array(32),
    userData: new Uint8Array(0),
  });
  assert.equal(document[0], 0x84);
});

Deno.test("DeviceNsm.now: is a fresh document's timestamp, tagged or not, indefinite or not", () => {
  const definite = encodeCanonical({ digest: "SHA384", timestamp: 1_700_000_000_123 });
  const indefinite = concat(
    fromHex("bf"), // map of indefinite length, as modules have sent since 2025
    name("timestamp"),
    fromHex("1b0000018bcfe5687b"), // u64: 1,700,000,000,123
    fromHex("ff"), // break
  );
  for (const payload of [definite, indefinite]) {
    for (const prefix of ["", "d2"]) {
      assert.equal(answering(attestation(payload, prefix)).nsm.now(), 1_700_000_000_123);
    }
  }
  for (const payload of [{}, { timestamp: 0 }, { timestamp: "1" }, { timestamp: 1n << 60n }]) {
    const { nsm } = answering(attestation(encodeCanonical(payload)));
    assert.throws(() => nsm.now(), failure("bad_response"));
  }
  for (const document of ["80", "84", "d2d2", "a0"].map((hex) => fromHex(hex))) {
    const { nsm } = answering(encodeCanonical({ Attestation: { document } }));
    assert.throws(() => nsm.now(), failure("bad_response"));
  }
});

Deno.test("DeviceNsm: a refusal has the API's code", () => {
  assert.throws(() => answering(ERROR_RESPONSE).nsm.pcr(31), failure("InvalidIndex"));
  for (const code of ["BufferTooSmall", "InputTooLarge", "InternalError"]) {
    const { nsm } = answering(encodeCanonical({ Error: code }));
    assert.throws(() => nsm.random(1), failure(code));
  }
});

Deno.test("DeviceNsm: what is no response of the API is 'bad_response'", () => {
  const responses = [
    new Uint8Array(0),
    new Uint8Array(MAX_RESPONSE + 1),
    RANDOM_RESPONSE.slice(0, -1),
    concat(RANDOM_RESPONSE, new Uint8Array(1)),
    PCR_RESPONSE,
    name("GetRandom"),
    encodeCanonical({ GetRandom: { random: new Uint8Array(0) } }),
    encodeCanonical({ GetRandom: { random: new Uint8Array(257) } }),
    encodeCanonical({ GetRandom: { random: new Uint8Array(31) } }),
    encodeCanonical({ GetRandom: { random: new Uint8Array(32), more: 1 } }),
    encodeCanonical({ GetRandom: { random: new Uint8Array(32) }, Error: "InternalError" }),
    encodeCanonical({ Error: "Success" }),
    encodeCanonical({ Error: 3 }),
  ];
  for (const response of responses) {
    assert.throws(() => answering(response).nsm.random(32), failure("bad_response"));
  }
  const short = encodeCanonical({ DescribePCR: { lock: true, data: new Uint8Array(32) } });
  assert.throws(() => answering(short).nsm.pcr(0), failure("bad_response"));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    assert.throws(() => answering(bytes).nsm.random(32), failure("bad_response"));
  }));
});

Deno.test("DeviceNsm.pcr: takes an index from 0 to 31", () => {
  for (const index of [-1, 32, 0.5, NaN]) {
    assert.throws(() => answering(PCR_RESPONSE).nsm.pcr(index), RangeError);
  }
});

Deno.test("openNsm: the ioctl's number is _IOWR(0x0A, 0, 32 bytes)", () => {
  const [write, read] = [1n, 2n];
  assert.equal(NSM_IOCTL, ((write | read) << 30n) | (32n << 16n) | (0x0an << 8n));
});

Deno.test({
  name: "openNsm: says that there is no device, and what the driver answered",
  ignore: Deno.build.os !== "linux",
  fn() {
    const ENOENT = 2, ENOTTY = 25;
    assert.throws(() => openNsm("/dev/none-such"), (error: NsmError) => {
      assert.ok(error.message.endsWith(`errno ${ENOENT}`), error.message);
      return failure("no_device")(error);
    });
    // Every character device that is no module refuses the ioctl: the system call itself is real.
    const device = openNsm("/dev/null");
    try {
      assert.throws(() => device.call(name("GetRandom")), (error: NsmError) => {
        assert.ok(error.message.endsWith(`errno ${ENOTTY}`), error.message);
        return failure("ioctl_failed")(error);
      });
      for (const length of [0, MAX_REQUEST + 1]) {
        assert.throws(() => device.call(new Uint8Array(length)), RangeError);
      }
    } finally {
      device.close();
    }
  },
});
