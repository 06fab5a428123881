import assert from "node:assert/strict";
import { DEFAULT_HPARAMS } from "../../../../enclave/protocol/hparams.ts";
import type { Of } from "../layout/layout.ts";
import type { Window } from "../layout/rounds.ts";
import { idOf } from "../testing.ts";
import { params, unfoundedHparams } from "../testing_mirror.ts";
import {
  type Head,
  openedRow,
  runningHparams,
  seatedValidators,
  STATUS,
  windowState,
} from "./head.ts";

const HOUR = 3_600_000;
const OLD = { ...DEFAULT_HPARAMS, window_ms: HOUR };
const NEW = { ...OLD, beta: 5 };
const slot = (uid: number) => ({ uid, generation: 1, owner: idOf(uid), stake: 5n, active_from: 2 });

/** A network of windows of an hour, in `running`, last rolled to in `rolled`; changes wait for window 5. */
function head(running: number, rolled: number | null, ms = 0): Head {
  return {
    hparams: {
      ...unfoundedHparams(),
      params: params(OLD),
      pending: { effective: 5, params: params(NEW) },
      founded: true,
    },
    rounds: { rolled, base: new Uint8Array(32).fill(9) } as unknown as Head["rounds"],
    validators: {
      slots: [slot(0), slot(1)],
      pending: [
        { uid: 1, effective: 5, owner: null, stake: 0n },
        { uid: 2, effective: 5, owner: idOf(7), stake: 9n },
      ],
      generations: [1, 1, 3],
    } as unknown as Head["validators"],
    epochs: [{ firstWindow: 0, startMs: 0, windowMs: HOUR }],
    nowMs: running * HOUR + ms,
    running,
    rolled: rolled !== null && rolled >= running,
  };
}

const uids = (of: Head) => seatedValidators(of).map(({ uid }) => uid);
const row = (parts: Partial<Of<typeof Window>>): Of<typeof Window> => ({
  ...openedRow(head(5, 4), 5)!,
  reveal_count: 1,
  snapshot_stake: 10n,
  reported_stake: 6n,
  ...parts,
});

Deno.test("head: what waits holds from its window on, and only until it is rolled to", () => {
  assert.equal(runningHparams(head(4, 4)).beta, OLD.beta);
  assert.equal(runningHparams(head(4, 3)).beta, OLD.beta);
  assert.equal(runningHparams(head(5, 4)).beta, NEW.beta);
  assert.equal(runningHparams(head(6, 4)).beta, NEW.beta);
  // rolled to: the contracts have rotated them in; what is pending is for later
  assert.equal(runningHparams(head(5, 5)).beta, OLD.beta);
  assert.deepEqual([uids(head(4, 3)), uids(head(5, 4)), uids(head(5, 5))], [[0, 1], [0, 2], [
    0,
    1,
  ]]);
  assert.deepEqual(seatedValidators(head(5, 4))[1], {
    uid: 2,
    generation: 4,
    owner: idOf(7),
    stake: 9n,
    activeFrom: 5,
  });
  // founders count from the first window
  assert.deepEqual(seatedValidators(head(3, null)).map(({ activeFrom }) => activeFrom), [3, 3]);
});

Deno.test("head: the running window's row is known before anybody opens it, and no other's", () => {
  const opened = openedRow(head(5, 4), 5)!;
  assert.deepEqual(
    [opened.status, opened.snapshot_stake, opened.base[0], opened.seats.map(({ uid }) => uid)],
    [STATUS.open, 14n, 9, [0, 2]],
  );
  assert.deepEqual([openedRow(head(5, 5), 5), openedRow(head(5, 4), 4), openedRow(head(5, 4), 6)], [
    null,
    null,
    null,
  ]);
  const unfounded = head(5, null);
  const { hparams } = unfounded;
  assert.equal(openedRow({ ...unfounded, hparams: { ...hparams, founded: false } }, 5), null);
});

Deno.test("head: windows that are over end as the next roll ends them", () => {
  const status = (of: Head, parts: Partial<Of<typeof Window>>, window = 4) =>
    windowState(of, window, row(parts)).status;
  const [REPORT, OUTCOME] = [HOUR * 0.6, HOUR * 0.9];
  assert.equal(status(head(5, 4), { reveal_count: 0 }), STATUS.closed);
  assert.equal(status(head(5, 4, REPORT - 1), { reported_stake: 5n }), STATUS.open);
  assert.equal(status(head(5, 4, REPORT), { reported_stake: 5n }), STATUS.skipped); // half is no quorum
  assert.equal(status(head(5, 4, REPORT), {}), STATUS.open);
  assert.equal(status(head(5, 4, OUTCOME - 1), { status: STATUS.settled }), STATUS.settled);
  assert.equal(status(head(5, 4, OUTCOME), { status: STATUS.settled }), STATUS.skipped);
  assert.equal(status(head(5, 4, OUTCOME), { status: STATUS.closed }), STATUS.closed);
  assert.equal(status(head(6, 4), {}), STATUS.skipped);
  // rolled to already: nothing ends by itself, and nothing of the running window ever does
  assert.equal(status(head(5, 5, OUTCOME), {}), STATUS.open);
  assert.equal(status(head(4, 3, OUTCOME), { reveal_count: 0 }), STATUS.open);
});
