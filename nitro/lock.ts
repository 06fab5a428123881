/**
 * `lock.json`: everything that an image and its emulator are made from, by SHA-256, size and origin.
 *
 * @module
 */

/** One source. */
export interface Pin {
  /** What kind of file it is: a Debian binary package, an npm tarball, a tar archive, a Python wheel, a crate. */
  readonly kind: "deb" | "npm" | "tar" | "wheel" | "crate";
  /** The package. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Where it is to be had; the archive that keeps everything stands last. */
  readonly urls: readonly string[];
  /** Of a Debian package: the suite whose newest version replaces it. */
  readonly suite?: string;
  /** Of an npm package: as in `deno.lock`. */
  readonly integrity?: string;
  /** Which of its files go into the image; `*` stands for any part of a name. */
  readonly keep?: readonly string[];
  /** Other sources that it loads when it runs. */
  readonly needs?: readonly string[];
}

/** All sources, by the name that recipes call them. */
export type Lock = Readonly<Record<string, Pin>>;

/** Where the lock lies. */
export const LOCK_FILE: URL = new URL("./lock.json", import.meta.url);

/** Read the lock. @throws {TypeError} naming the source whose pin is not whole. */
export function readLock(json: string = Deno.readTextFileSync(LOCK_FILE)): Lock {
  const { version, sources } = JSON.parse(json);
  if (version !== 1) throw new TypeError(`Cannot read lock.json as its version is ${version}`);
  for (const [name, pin] of Object.entries<Partial<Pin>>(sources)) {
    const whole = /^[0-9a-f]{64}$/.test(pin.sha256 ?? "") && Number.isSafeInteger(pin.size) &&
      pin.size! > 0 && (pin.urls ?? []).length > 0 && pin.kind !== undefined &&
      pin.name !== undefined && pin.version !== undefined;
    if (!whole) throw new TypeError(`Cannot read lock.json as the pin of '${name}' is not whole`);
  }
  return sources;
}

/** The text of a lock. */
export function writeLock(lock: Lock): string {
  return JSON.stringify({ version: 1, sources: lock }, null, 2) + "\n";
}

/** The pin that recipes call `name`. @throws {TypeError} where there is none. */
export function pinOf(lock: Lock, name: string): Pin {
  const pin = lock[name];
  if (pin === undefined) throw new TypeError(`Cannot find '${name}' in lock.json`);
  return pin;
}

/** Whether `path` is one of the files that `pin` keeps. */
export function keeps(pin: Pin, path: string): boolean {
  return (pin.keep ?? []).some((pattern) => {
    const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join("[^/]*")}$`).test(path);
  });
}
