/**
 * Stand-ins for the packages that an image is made from: the right names, kinds and files, a few bytes each, served
 * by a local archive. What a recipe makes of them it makes of the real ones.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { run } from "../../nitro/command.ts";
import type { Lock, Pin } from "../../nitro/lock.ts";

/** A running archive. */
export interface SmallArchive extends AsyncDisposable {
  /** Its address. */
  readonly origin: string;
  /** Files by their path; put more there, or take some away. */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
}

/** Serve an archive on a free port. */
export function serveArchive(): SmallArchive {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const bytes = files.get(decodeURIComponent(new URL(request.url).pathname));
      return bytes === undefined ? new Response(null, { status: 404 }) : new Response(bytes);
    },
  );
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    files,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A small package with `pin`'s name and files, put into `archive`, and its pin. `text` makes it another. */
export async function smallPackage(
  pin: Pin,
  archive: SmallArchive,
  text = "small",
): Promise<Pin> {
  const folder = await Deno.makeTempDir({ prefix: "vramhub-small-" });
  try {
    const inside = pin.kind === "deb" ? `${folder}/tree` : `${folder}/tree/package`;
    for (const pattern of pin.keep ?? []) {
      const path = `${inside}/${pattern.replaceAll("*", "part")}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, `${pin.name} ${pattern} ${text}\n`);
    }
    const file = `${folder}/archive`;
    if (pin.kind === "deb") {
      await Deno.mkdir(`${inside}/DEBIAN`);
      await Deno.writeTextFile(
        `${inside}/DEBIAN/control`,
        `Package: ${pin.name}\nVersion: ${pin.version}\nArchitecture: all\n` +
          "Maintainer: none <none@example.invalid>\nDescription: small\n",
      );
      await run("dpkg-deb", ["--build", "--root-owner-group", inside, file]);
    } else await run("tar", ["-czf", file, "-C", `${folder}/tree`, "package"]);
    const bytes = await Deno.readFile(file);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    archive.files.set(`/${sha256}`, bytes);
    return { ...pin, sha256, size: bytes.length, urls: [`${archive.origin}/${sha256}`] };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** `lock` with a small package in place of each whose files go into an image. */
export async function smallLock(lock: Lock, archive: SmallArchive): Promise<Lock> {
  const pins = await Promise.all(
    Object.entries(lock).map(async ([name, pin]) =>
      [name, pin.keep === undefined ? pin : await smallPackage(pin, archive)] as const
    ),
  );
  return Object.fromEntries(pins);
}
