/**
 * The emulator: QEMU's `nitro-enclave` machine, its firmware, and the vsock device beside it. For tests only:
 * nothing of it is in an image.
 *
 * @module
 */
import { cached, cacheRoot, exists } from "../cache.ts";
import { run } from "../command.ts";
import { fetchPin } from "../fetch.ts";
import { type Lock, pinOf } from "../lock.ts";
import { hashText } from "../text.ts";

/** Built tools. */
export interface Emulator {
  /** Path of qemu-system-x86_64. */
  readonly qemu: string;
  /** Folder of its firmware. */
  readonly firmware: string;
  /** Path of vhost-device-vsock. */
  readonly vsock: string;
}

/** The devices of a Nitro enclave and no others. */
const DEVICES = ["NITRO_ENCLAVE", "MICROVM", "VIRTIO_RNG", "VIRTIO_SERIAL"];
/** Files of Debian's package that the machine starts with. */
const FIRMWARE = ["qboot.rom", "linuxboot_dma.bin", "pvh.bin"];
const CONFIGURE = [
  "--target-list=x86_64-softmmu",
  "--without-default-features",
  "--without-default-devices",
  "--with-devices-x86_64=nitro",
  "--enable-system",
  "--enable-tcg",
  "--enable-fdt=system",
  "--enable-gnutls",
  "--enable-libcbor",
  "--enable-vhost-user",
  "--disable-download",
  "--disable-install-blobs",
  "--disable-docs",
  "--disable-werror",
];
/** What an empty file is to bzip2: QEMU unpacks firmware that Debian's archive leaves out and nobody here uses. */
const EMPTY_BZ2 = Uint8Array.of(
  0x42,
  0x5a,
  0x68,
  0x39,
  0x17,
  0x72,
  0x45,
  0x38,
  0x50,
  0x90,
  0,
  0,
  0,
  0, // "BZh9", end of stream, CRC 0
);
/** The device calls its host 2, as on a laptop. The parent of a Nitro enclave is 3, and the heartbeat goes there. */
const HOST_CID = ["VSOCK_HOST_CID: u64 = 2;", "VSOCK_HOST_CID: u64 = 3;"] as const;
/** Lines of build output between two of progress. */
const REPORT_LINES = 200;

function names(lock: Lock): { readonly qemu: string; readonly firmware: string; vsock: string } {
  const pin = (name: string) => pinOf(lock, name).sha256;
  const tools = [pin("qemu"), pin("meson"), pin("pycotap")];
  return {
    qemu: `qemu/${hashText(...tools, ...CONFIGURE, ...DEVICES)}`,
    firmware: `qemu-firmware/${hashText(pin("qemu-firmware"))}`,
    vsock: `vhost-device-vsock/${hashText(pin("vhost-device-vsock"), ...HOST_CID)}`,
  };
}

function emulatorIn({ qemu, firmware, vsock }: ReturnType<typeof names>): Emulator {
  const root = cacheRoot();
  return {
    qemu: `${root}/${qemu}/qemu-system-x86_64`,
    firmware: `${root}/${firmware}`,
    vsock: `${root}/${vsock}/vhost-device-vsock`,
  };
}

/** The tools where the cache holds them all, else undefined. Builds and fetches nothing. */
export async function findEmulator(lock: Lock): Promise<Emulator | undefined> {
  const emulator = emulatorIn(names(lock));
  for (const path of Object.values(emulator)) if (!await exists(path)) return undefined;
  return emulator;
}

/**
 * Build the tools, or take them from the cache. Minutes.
 *
 * @throws {CommandError} where a tool is missing or a build fails.
 * @throws {SourceError} where a source is not to be had.
 */
export async function buildEmulator(
  lock: Lock,
  progress: (line: string) => void,
): Promise<Emulator> {
  const folders = names(lock);
  await cached(folders.firmware, (draft) => unpackFirmware(lock, draft, progress));
  await cached(folders.vsock, (draft) => buildVsock(lock, draft, progress));
  await cached(folders.qemu, (draft) => buildQemu(lock, draft, progress));
  return emulatorIn(folders);
}

async function unpackFirmware(
  lock: Lock,
  draft: string,
  progress: (line: string) => void,
): Promise<void> {
  const deb = await fetchPin(pinOf(lock, "qemu-firmware"), { progress });
  await run("dpkg-deb", ["-x", deb, `${draft}/deb`]);
  for (const name of FIRMWARE) {
    await Deno.rename(`${draft}/deb/usr/share/qemu/${name}`, `${draft}/${name}`);
  }
  await Deno.remove(`${draft}/deb`, { recursive: true });
}

async function buildVsock(
  lock: Lock,
  draft: string,
  progress: (line: string) => void,
): Promise<void> {
  progress("vhost-device-vsock");
  const crate = await fetchPin(pinOf(lock, "vhost-device-vsock"), { progress });
  const tree = `${draft}/tree`;
  await Deno.mkdir(tree);
  await run("tar", ["-xzf", crate, "--strip-components=1", "-C", tree]);
  const path = `${tree}/src/vhu_vsock.rs`;
  const source = await Deno.readTextFile(path);
  if (!source.includes(HOST_CID[0])) throw new Error(`Cannot find '${HOST_CID[0]}' in ${path}`);
  await Deno.writeTextFile(path, source.replace(...HOST_CID));
  await run("cargo", ["build", "--release", "--locked"], {
    cwd: tree,
    onLine: reporter("vhost-device-vsock", progress),
  });
  await Deno.rename(`${tree}/target/release/vhost-device-vsock`, `${draft}/vhost-device-vsock`);
  await Deno.remove(tree, { recursive: true });
}

async function buildQemu(
  lock: Lock,
  draft: string,
  progress: (line: string) => void,
): Promise<void> {
  progress("QEMU");
  const [source, meson, pycotap] = await Promise.all(
    ["qemu", "meson", "pycotap"].map((name) => fetchPin(pinOf(lock, name), { progress })),
  );
  const tree = `${draft}/tree`;
  await Deno.mkdir(`${tree}/build`, { recursive: true });
  await run("tar", ["-xJf", source!, "--strip-components=1", "-C", tree]);
  // Its own build system comes from these two wheels; with --disable-download it asks no registry.
  await Deno.mkdir(`${tree}/python/wheels`, { recursive: true });
  await Deno.copyFile(meson!, `${tree}/python/wheels/${wheelOf(lock, "meson")}`);
  await Deno.copyFile(pycotap!, `${tree}/python/wheels/${wheelOf(lock, "pycotap")}`);
  await Deno.writeTextFile(
    `${tree}/configs/devices/x86_64-softmmu/nitro.mak`,
    DEVICES.map((device) => `CONFIG_${device}=y\n`).join(""),
  );
  const blobs = await Deno.readTextFile(`${tree}/pc-bios/meson.build`);
  for (const [, name] of blobs.matchAll(/'(edk2-[\w-]+\.fd)'/g)) {
    await Deno.writeFile(`${tree}/pc-bios/${name}.bz2`, EMPTY_BZ2);
  }
  const onLine = reporter("QEMU", progress);
  await run("../configure", CONFIGURE, { cwd: `${tree}/build`, onLine });
  await run("ninja", ["qemu-system-x86_64"], { cwd: `${tree}/build`, onLine });
  await Deno.rename(`${tree}/build/qemu-system-x86_64`, `${draft}/qemu-system-x86_64`);
  await Deno.remove(tree, { recursive: true });
}

function wheelOf(lock: Lock, name: string): string {
  const { urls: [url] } = pinOf(lock, name);
  return url!.slice(url!.lastIndexOf("/") + 1);
}

function reporter(name: string, progress: (line: string) => void): () => void {
  let lines = 0;
  return () => {
    if (++lines % REPORT_LINES === 0) progress(`${name}: ${lines} steps`);
  };
}
