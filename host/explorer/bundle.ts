/**
 * The page's scripts: TypeScript and packages made into one file each by Deno's own bundler, once a process.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";

const CONFIG = new URL("../../deno.json", import.meta.url);

/** A file as it is served. */
export interface Asset {
  /** MIME type. */
  readonly type: string;
  /** The bytes. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Names the bytes. */
  readonly etag: string;
}

/** An asset of `body`. */
export function asset(type: string, body: Uint8Array<ArrayBuffer>): Asset {
  return { type, body, etag: `"${toHex(sha256(body)).slice(0, 32)}"` };
}

/**
 * The script that `entry` and all that it imports make, for a browser.
 *
 * @throws {Error} with what the bundler said.
 */
export async function bundle(entry: URL): Promise<Asset> {
  const dir = await Deno.makeTempDir({ prefix: "vramscan-" });
  try {
    const out = `${dir}/script.js`;
    const options = ["--quiet", "--minify", "--platform", "browser", "--config", path(CONFIG)];
    const { stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", ...options, "-o", out, path(entry)],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) {
      const why = new TextDecoder().decode(stderr).trim();
      throw new Error(`Cannot bundle the page's script: ${why}`);
    }
    return asset("text/javascript; charset=utf-8", await Deno.readFile(out));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function path(url: URL): string {
  return decodeURIComponent(url.pathname);
}
