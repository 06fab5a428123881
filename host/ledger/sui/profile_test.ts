import assert from "node:assert/strict";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { SuiError } from "./errors.ts";
import { chainIdBytes, checkProfile, type NetworkProfile } from "./profile.ts";
import {
  deployed,
  DEPLOYMENT,
  idOf,
  objectMessage,
  objectsFrom,
  PROFILE,
  rpcError,
  ScriptedTransport,
  type Step,
} from "./testing.ts";

const CHAIN: Step = { method: "GetServiceInfo", answer: { chainId: PROFILE.chainId } };

async function refusal(profile: NetworkProfile, ...steps: Step[]): Promise<SuiError> {
  const script = new ScriptedTransport(...steps);
  const error = await checkProfile(script.client, profile).then(() => null, (e) => e);
  assert.ok(error instanceof SuiError, String(error));
  script.done();
  return error;
}

Deno.test("checkProfile: a chain with the package and its objects passes", async () => {
  const script = new ScriptedTransport(CHAIN, objectsFrom(deployed()));
  assert.deepEqual(await checkProfile(script.client, PROFILE), DEPLOYMENT);
  script.done();
});

Deno.test("checkProfile: the chain may be named by its first four bytes", async () => {
  const short = toHex(chainIdBytes(PROFILE.chainId).subarray(0, 4));
  const script = new ScriptedTransport(CHAIN, objectsFrom(deployed()));
  await checkProfile(script.client, { ...PROFILE, chainId: short });
  // Sui's mainnet, whose short name is 35834a8a
  assert.equal(
    toHex(chainIdBytes("4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S").subarray(0, 4)),
    "35834a8a",
  );
  assert.throws(() => chainIdBytes("2g"), SyntaxError);
});

Deno.test("checkProfile: another chain, package or object is named", async () => {
  const other: Step = { method: "GetServiceInfo", answer: { chainId: "another" } };
  assert.equal((await refusal(PROFILE, other, objectsFrom(deployed()))).code, "wrong_network");
  const without = deployed();
  without.delete(PROFILE.packageId);
  const gone = await refusal(PROFILE, CHAIN, objectsFrom(without));
  assert.deepEqual([gone.code, gone.retryable], ["not_deployed", false]);
  assert.match(gone.message, /publish again/);
  const changes: Record<string, object | null> = {
    missing: null,
    mistyped: objectMessage(PROFILE.objects.hparams, {
      type: `${PROFILE.packageId}::round_state::RoundState`,
    }),
    owned: objectMessage(PROFILE.objects.hparams, {
      type: `${PROFILE.packageId}::hparams::Hparams`,
      owner: idOf(1),
    }),
  };
  for (const [name, change] of Object.entries(changes)) {
    const objects = deployed();
    if (change === null) objects.delete(PROFILE.objects.hparams);
    else objects.set(PROFILE.objects.hparams, change);
    const error = await refusal(PROFILE, CHAIN, objectsFrom(objects));
    assert.equal(error.code, "not_deployed", name);
    assert.match(error.message, /hparams/, name);
  }
});

Deno.test("checkProfile: upstream's published ids are refused with the reason, before any request", async () => {
  for (
    const id of [
      "0xaff18bf6286047126901610d758d8fd111c9215a6e46abc704b6a0be838badd5",
      "0x0d2594727abeb45a13763baf8801ae765fbe41d147b28916ca78a0d08f73223a",
    ]
  ) {
    const asPackage = await refusal({ ...PROFILE, packageId: id });
    const asObject = await refusal({
      ...PROFILE,
      objects: { ...PROFILE.objects, hparams: id.toUpperCase().replace("0X", "0x") },
    });
    for (const error of [asPackage, asObject]) {
      assert.equal(error.code, "another_package");
      assert.match(error.message, /it is upstream's .*, of another package/);
    }
  }
  assert.equal((await refusal({ ...PROFILE, packageId: "0xzz" })).code, "not_deployed");
});

Deno.test("checkProfile: a node that is not there is retryable and says what to start", async () => {
  const refused: Step = {
    method: "GetServiceInfo",
    answer: rpcError("UNAVAILABLE", "Connection refused"),
  };
  const error = await refusal(PROFILE, refused);
  assert.deepEqual([error.code, error.retryable], ["unavailable", true]);
  assert.match(error.message, /is it running/);
});
