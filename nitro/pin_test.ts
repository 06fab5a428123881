import assert from "node:assert/strict";
import { serveArchive, type SmallArchive, smallPackage } from "../tests/support/small_sources.ts";
import { withCache } from "../tests/support/cache.ts";
import { run } from "./command.ts";
import { fetchPin, SourceError } from "./fetch.ts";
import { type Lock, pinOf, readLock } from "./lock.ts";
import { ArchiveError, newestPins, provePins } from "./pin.ts";
import { keepUnpinned, testSources } from "./unpinned.ts";

const INDEX = "/debian/dists/bookworm/main/binary-amd64/Packages.xz";
const progress = () => {};

/** An index of `stanzas`, compressed as Debian does. */
async function putIndex(archive: SmallArchive, stanzas: readonly string[]): Promise<void> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, stanzas.join("\n") + "\n");
    await run("xz", ["--keep", file]);
    archive.files.set(INDEX, await Deno.readFile(`${file}.xz`));
  } finally {
    await Deno.remove(file);
    await Deno.remove(`${file}.xz`).catch(() => {});
  }
}

function stanza(name: string, version: string, fields = ""): string {
  const hash = version.replace(/\D/g, "").padEnd(64, "0");
  return `Package: ${name}\nVersion: ${version}\nFilename: pool/${name}_${version}.deb\n` +
    `Size: 7\nSHA256: ${hash}\n${fields}`;
}

Deno.test("newestPins: takes the newest version of a suite and leaves what is no Debian package", async () => {
  await using archive = serveArchive();
  const { libc6, deno } = readLock();
  const versions = ["2.36-9+deb12u9", "2.36-9+deb12u100", "2.36-9+deb12u20"];
  await putIndex(archive, [
    stanza("libc6-dev", "9"),
    ...versions.map((version) => stanza("libc6", version)),
  ]);
  const said: string[] = [];
  const lock = await newestPins({ libc6: libc6!, deno: deno! }, {
    progress: (line) => said.push(line),
    origin: archive.origin,
  });
  assert.equal(lock.deno, deno);
  const { version, sha256, size, urls, keep } = lock.libc6!;
  assert.equal(version, "2.36-9+deb12u100");
  assert.equal(sha256, "2369" + "12100".padEnd(60, "0"));
  assert.equal(size, 7);
  assert.equal(urls[0], `${archive.origin}/debian/pool/libc6_2.36-9+deb12u100.deb`);
  assert.match(
    urls[1]!,
    /^https:\/\/snapshot\.debian\.org\/archive\/debian\/\d{8}T000000Z\/pool\//,
  );
  assert.deepEqual(keep, libc6!.keep);
  assert.deepEqual(said, [`libc6: ${libc6!.version} → ${version}`]);
});

Deno.test("newestPins: a typed error where the archive is silent, has no such package or half of one", async () => {
  await using archive = serveArchive();
  const lock: Lock = { libc6: pinOf(readLock(), "libc6") };
  const refused = (origin: string, message: RegExp) =>
    assert.rejects(newestPins(lock, { progress, origin }), (error) => {
      assert.ok(error instanceof ArchiveError);
      assert.match(error.message, message);
      return true;
    });
  await refused("http://127.0.0.1:1", /^Cannot read http.*Packages\.xz.*try again with a network$/);
  await refused(archive.origin, /status 404/);
  await putIndex(archive, [stanza("other", "1")]);
  await refused(archive.origin, /^Cannot find libc6 in bookworm$/);
  await putIndex(archive, ["Package: libc6\nVersion: 3\n"]);
  await refused(archive.origin, /^Cannot pin libc6 as its entry in bookworm is not whole$/);
});

Deno.test("provePins: fetches what is pinned, and names the remedy where it is gone", () =>
  withCache(async () => {
    await using archive = serveArchive();
    const libgcc = await smallPackage(pinOf(readLock(), "libgcc"), archive);
    await provePins({ libgcc }, progress);
    await Deno.writeTextFile(await fetchPin(libgcc), "changed");
    await assert.rejects(provePins({ libgcc }, progress), /Cannot trust the cache/);
    const gone = await smallPackage(pinOf(readLock(), "libgcc"), archive, "gone");
    archive.files.clear();
    await assert.rejects(provePins({ gone }, progress), (error) => {
      assert.ok(error instanceof SourceError);
      assert.match(error.message, /status 404[^]*deno task enclave:pin[^]*--unpinned/);
      return true;
    });
  }));

Deno.test("testSources: the newest that were kept for this lock, marked, until the pins are back", () =>
  withCache(async () => {
    const pinned = readLock();
    assert.deepEqual(await testSources(), { lock: pinned, unpinned: false });
    const newest = { ...pinned, libc6: { ...pinOf(pinned, "libc6"), version: "3" } };
    await keepUnpinned(newest);
    assert.deepEqual(await testSources(), { lock: newest, unpinned: true });
    await keepUnpinned(undefined);
    assert.deepEqual(await testSources(), { lock: pinned, unpinned: false });
  }));
