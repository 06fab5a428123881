/**
 * Builds the enclave's image: kernel, platform ramdisk, program ramdisk, EIF, its measurements and its bill of
 * materials. The same sources give the same bytes.
 *
 * @module
 */
import { toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { encodeCpio } from "../cpio/mod.ts";
import { encodeEif } from "../eif/mod.ts";
import { digest } from "../digest.ts";
import { buildKernel, type Kernel } from "../kernel/build.ts";
import { type Lock, pinOf, readLock } from "../lock.ts";
import { encodeMetadata } from "../metadata.ts";
import { pcrsOf } from "../pcr.ts";
import { newestPins } from "../pin.ts";
import { useNativeHashes, writePieces } from "../tool/native.ts";
import config from "../deno.json" with { type: "json" };
import { billOf } from "./bill.ts";
import { INIT, platformRamdisk, programRamdisk, type Ramdisk } from "./ramdisk.ts";

/** What to build. */
export interface BuildOptions {
  /** The folder of the outputs. */
  readonly out: string;
  /** Told what is done. */
  readonly progress: (line: string) => void;
  /** Take the newest Debian packages in place of the pinned ones: another image than the release's. */
  readonly unpinned?: boolean;
  /** The sources, where they are known already; by default what `lock.json` pins, or the newest. */
  readonly lock?: Lock;
}

/** Paths of what was built. */
export interface BuiltImage {
  /** The image. */
  readonly eif: string;
  /** Its measurements, as `attestation/measurements.ts` reads them. */
  readonly pcrs: string;
  /** Its bill of materials. */
  readonly sbom: string;
}

/** The most an EIF may weigh. */
export const MAX_EIF_BYTES = 160_000_000;

/**
 * The kernel's command line. A kernel without its PID 1 panics and reboots at once, which ends the enclave; there
 * is no PCI; the console shows only in debug mode.
 */
export const CMDLINE =
  `reboot=k panic=-1 pci=off console=ttyS0 random.trust_cpu=on rdinit=/${INIT}`;

/** What the lock holds for other ends than the image. */
const NOT_IN_IMAGE = ["qemu", "qemu-firmware", "meson", "pycotap", "vhost-device-vsock"];
/** Reproducible builds say a fixed time. */
const BUILD_TIME = "2026-01-01T00:00:00Z";

/**
 * Build the image. The kernel takes minutes the first time, then comes from the cache; the rest takes seconds.
 *
 * @throws {SourceError} where a pinned source is not to be had.
 * @throws {ArchiveError} where the newest are wanted and Debian's archive does not answer.
 * @throws {CommandError} where a tool is missing or fails.
 */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const { progress, unpinned } = options;
  const lock = options.lock ??
    (unpinned ? await newestPins(readLock(), { progress }) : readLock());
  progress("kernel");
  return await assembleImage(await buildKernel(lock, progress), { ...options, lock });
}

/** The rest of {@linkcode buildImage}: everything but the kernel. */
export async function assembleImage(
  kernel: Kernel,
  options: BuildOptions & { readonly lock: Lock },
): Promise<BuiltImage> {
  const { out, progress } = options;
  useNativeHashes();
  const mark = options.unpinned ? "-UNPINNED" : "";
  const version = config.version + mark.toLowerCase();
  const lock = imageSources(options.lock);
  if (options.unpinned) progress("UNPINNED: these PCRs are not the release's");
  progress("platform ramdisk");
  const platform = await platformRamdisk(lock, progress);
  progress("program ramdisk");
  const program = await programRamdisk(lock, progress);
  progress("image");
  const bzImage = await Deno.readFile(kernel.path);
  const ramdisks = [platform, program].map(archive);
  const paths = {
    eif: `${out}/vramhub-enclave${mark}.eif`,
    pcrs: `${out}/pcrs${mark}.json`,
    sbom: `${out}/vramhub-enclave${mark}.sbom.json`,
  };
  await Deno.mkdir(out, { recursive: true });
  const kernelVersion = pinOf(lock, "kernel").version;
  const metadata = metadataOf(version, kernelVersion);
  writePieces(paths.eif, encodeEif({ kernel: bzImage, cmdline: CMDLINE, metadata, ramdisks }));
  const { size } = await Deno.stat(paths.eif);
  if (size > MAX_EIF_BYTES) {
    throw new RangeError(
      `Cannot keep the image as it has ${size} bytes, more than ${MAX_EIF_BYTES}`,
    );
  }
  const pcrs = pcrsOf({ kernel: bzImage, cmdline: utf8(CMDLINE), ramdisks }).map(toHex);
  await Deno.writeTextFile(paths.pcrs, pcrsJson(version, pcrs));
  const kernelHash = toHex(digest("sha256", bzImage));
  await Deno.writeTextFile(
    paths.sbom,
    billOf({
      version,
      pins: Object.values(lock),
      kernel: { sha256: kernelHash, version: kernelVersion },
      ramdisks: [platform, program],
    }),
  );
  const inputs = {
    unpinned: options.unpinned ?? false,
    cmdline: CMDLINE,
    kernel: { sha256: kernelHash, toolchain: kernel.toolchain },
    sources: lock,
  };
  await Deno.writeTextFile(
    `${out}/build-inputs${mark}.json`,
    JSON.stringify(inputs, null, 2) + "\n",
  );
  for (const [index, pcr] of pcrs.entries()) progress(`PCR${index} ${pcr}${mark}`);
  progress(`${paths.eif}: ${(size / 1e6).toFixed(1)} MB${mark}`);
  return paths;
}

/** The sources that an image is made from. */
function imageSources(lock: Lock): Lock {
  return Object.fromEntries(Object.entries(lock).filter(([name]) => !NOT_IN_IMAGE.includes(name)));
}

function archive({ entries }: Ramdisk): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (const piece of encodeCpio(entries)) pieces.push(piece.slice());
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function metadataOf(version: string, kernelVersion: string): Uint8Array<ArrayBuffer> {
  return encodeMetadata({
    imageName: "vramhub-enclave",
    imageVersion: version,
    buildTime: BUILD_TIME,
    buildTool: "vramhub",
    buildToolVersion: config.version,
    operatingSystem: "Linux",
    kernelVersion,
    dockerInfo: null,
    customMetadata: null,
  });
}

function pcrsJson(version: string, pcrs: readonly string[]): string {
  const named = Object.fromEntries(pcrs.map((pcr, index) => [index, pcr]));
  const measurements = [{ name: `v${version}`, pcrs: named }];
  return JSON.stringify({ measurements }, null, 2) + "\n";
}
