import assert from "node:assert/strict";
import { Folder } from "../../../tests/support/vramhub.ts";
import { address, ADMIN } from "../../ledger/testing.ts";

const as = `--as ${ADMIN}`;
const pcrs = (digit: number) =>
  [0, 1, 2].map((i) => `--pcr${i} ${String(digit + i).repeat(96)}`).join(" ");

Deno.test("admin set-expected-pcrs, admin measurements, admin remove: a build counts later, and ends at once", async () => {
  await using folder = await Folder.found();
  const row = await folder.json(`admin set-expected-pcrs --name build-2 ${pcrs(3)} ${as}`);
  assert.equal(row.activeFrom, folder.network.clock.now() + 50_000);
  assert.deepEqual(row.pcrs, ["3".repeat(96), "4".repeat(96), "5".repeat(96)]);
  const text = await folder.text("admin measurements");
  assert.match(text, /^build-1 +now /m);
  assert.match(text, /^build-2 +from 20\S+Z +33333333… +44444444…/m);
  await folder.text(`admin remove build-1 ${as}`);
  const { measurements } = await folder.json("admin measurements");
  assert.deepEqual(measurements.map((one: { name: string }) => one.name), ["build-2"]);
  await folder.refused(
    `admin set-expected-pcrs --name build-1 ${pcrs(1)} ${as}`,
    1,
    /enclave_registry::EBadMeasurement/,
  );
  await folder.refused(
    `admin set-expected-pcrs --name b3 ${pcrs(1)} --as anna`,
    1,
    /enclave_registry::ENotAdmin/,
  );
});

Deno.test("admin set-expected-pcrs: the PCRs of a debug enclave, all zero, are refused", async () => {
  await using folder = await Folder.found();
  const zero = [0, 1, 2].map((i) => `--pcr${i} ${"0".repeat(96)}`).join(" ");
  await folder.refused(
    `admin set-expected-pcrs --name debug ${zero} ${as}`,
    1,
    /EBadMeasurement/,
  );
});

Deno.test("admin hparams: shows them, changes some from the next window on, and refuses bad ones first", async () => {
  await using folder = await Folder.found();
  const { hparams, changed } = await folder.json("admin hparams");
  assert.deepEqual([hparams.top_g, changed], [15, false]);
  assert.match(
    await folder.text(`admin hparams top_g=20 min_miner_stake=2000 ${as}`),
    /^top_g +15 → 20 from the next window on$/m,
  );
  assert.equal((await folder.json("admin hparams")).hparams.top_g, 15);
  folder.network.at(1);
  assert.equal((await folder.json("admin hparams")).hparams.top_g, 20);
  await folder.refused(`admin hparams top_h=20 ${as}`, 2, /no such name; did you mean .*top_g/);
  await folder.refused(`admin hparams commit_bps=9999 ${as}`, 1, /commit_bps must be below/);
  await folder.refused("admin hparams top_g=21 --as anna", 1, /hparams::ENotAdmin/);
});

Deno.test("admin job-terms: shows the board's terms and changes some", async () => {
  await using folder = await Folder.found();
  assert.match(await folder.text("admin job-terms"), /^feeBps +500$/m);
  const { terms } = await folder.json(`admin job-terms feeBps=300 minPrice=2000000000 ${as}`);
  assert.deepEqual([terms.feeBps, terms.minPrice], [300, "2000000000"]);
  assert.equal((await folder.json("job board")).terms.feeBps, 300);
  await folder.refused(`admin job-terms fee=1 ${as}`, 2, /did you mean feeBps/);
});

Deno.test("admin offer, admin withdraw-offer, admin accept: the right goes over in two steps", async () => {
  await using folder = await Folder.found();
  const heir = address(0xbeef);
  await folder.text(`admin offer ${heir} ${as}`);
  await folder.text(`admin withdraw-offer ${as}`);
  await folder.refused(`admin accept --as ${heir}`, 1, /hparams::ENoOffer/);
  await folder.text(`admin offer ${heir} ${as}`);
  assert.match(await folder.text(`admin accept --as ${heir}`), new RegExp(`^${heir} is the admin`));
  assert.equal((await folder.json("admin treasury")).admin, heir);
  await folder.refused(`admin remove build-1 ${as}`, 1, /ENotAdmin/);
});

Deno.test("admin treasury, admin sweep: what fees brought is taken once", async () => {
  await using folder = await Folder.found();
  const { network } = folder;
  network.at(0, 1_000);
  await network.commit(0, 0); // never revealed: its fee goes to the treasury
  network.at(2);
  await folder.text("ledger roll");
  const { miner } = await folder.json("admin treasury");
  assert.equal(miner, "300");
  assert.match(await folder.text("admin treasury"), /^miner +0\.0000003 SUI$/m);
  assert.equal((await folder.json(`admin sweep miner ${as}`)).amount, "300");
  assert.equal((await folder.json("admin treasury")).miner, "0");
  await folder.refused("admin sweep validator --as anna", 1, /ENotAdmin/);
  for (const source of ["mining", "jobs"]) {
    const { err, status } = await folder.call(`admin sweep ${source} ${as}`);
    assert.equal(status, 1, err); // there is nothing
  }
});

Deno.test("admin dataset register, admin dataset show, admin dataset retire: anchored data", async () => {
  await using folder = await Folder.found();
  const data = "--page-count 200 --page-tokens 33 " +
    `--tokenizer-hash ${"12".repeat(32)} --merkle-root ${"34".repeat(32)}`;
  const { id } = await folder.json(`admin dataset register ${data} ${as}`);
  const row = await folder.json(`admin dataset show ${id}`);
  assert.deepEqual([row.pageCount, row.retired, row.owner], [200, false, null]);
  const own = await folder.json(
    `admin dataset register ${data.replace("200", "201")} --for-jobs --as anna`,
  );
  assert.match(await folder.text(`admin dataset show ${own.id}`), /^owner +0x/m);
  await folder.refused(
    `admin dataset retire ${own.id} --as bert`,
    1,
    /dataset_registry::ENotOwner/,
  );
  await folder.text(`admin dataset retire ${id} ${as}`);
  assert.match(
    await folder.text(`admin dataset show ${id}`),
    new RegExp(`^data set +${id}, retired$`, "m"),
  );
  await folder.refused("admin dataset show 99", 2, /there is none/);
});
