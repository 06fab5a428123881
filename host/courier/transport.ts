/**
 * How a judge that dwells elsewhere is reached: over vsock, or through the Unix socket in which QEMU's
 * vhost-device-vsock (as Firecracker before it) offers a guest's ports.
 *
 * @module
 */

/** Where a judge listens. */
export type JudgeAddress =
  /** A Unix socket of its own. */
  | { readonly kind: "unix"; readonly path: string }
  /** A Nitro enclave: its CID and port. */
  | { readonly kind: "vsock"; readonly cid: number; readonly port: number }
  /** A guest of QEMU: the hypervisor's Unix socket, and the port behind it. */
  | { readonly kind: "guest"; readonly path: string; readonly port: number };

/** Opens a new connection to a judge. */
export type Dial = () => Promise<Deno.Conn>;

/** Longest answer to `CONNECT`, with its end of line: `OK 4294967295`. */
const MAX_ANSWER = 32;
const VSOCK = /^vsock:(\d{1,10}):(\d{1,10})$/;
const GUEST = /^guest:(.+):(\d{1,10})$/;

/**
 * Read `unix:PATH`, `vsock:CID:PORT` or `guest:PATH:PORT`.
 *
 * @throws {SyntaxError} where it is none of these.
 */
export function parseAddress(text: string): JudgeAddress {
  const vsock = VSOCK.exec(text);
  if (vsock !== null) return { kind: "vsock", cid: u32(vsock[1]!), port: u32(vsock[2]!) };
  const guest = GUEST.exec(text);
  if (guest !== null) return { kind: "guest", path: guest[1]!, port: u32(guest[2]!) };
  if (/^unix:./.test(text)) return { kind: "unix", path: text.slice("unix:".length) };
  throw new SyntaxError(
    `Cannot read a judge's address: expected unix:PATH, vsock:CID:PORT or guest:PATH:PORT: found ${text}`,
  );
}

/** `address` as {@linkcode parseAddress} reads it. */
export function formatAddress(address: JudgeAddress): string {
  switch (address.kind) {
    case "unix":
      return `unix:${address.path}`;
    case "vsock":
      return `vsock:${address.cid}:${address.port}`;
    case "guest":
      return `guest:${address.path}:${address.port}`;
  }
}

function u32(digits: string): number {
  const value = Number(digits);
  if (value > 0xffff_ffff) {
    throw new SyntaxError(`Cannot read a judge's address: ${digits} is not below 2^32`);
  }
  return value;
}

/** What opens connections to `address`. */
export function dialer(address: JudgeAddress): Dial {
  switch (address.kind) {
    case "unix":
      return () => Deno.connect({ transport: "unix", path: address.path });
    case "vsock":
      return () => Deno.connect({ transport: "vsock", cid: address.cid, port: address.port });
    case "guest":
      return () => dialGuest(address.path, address.port);
  }
}

/** Ask the hypervisor for the guest's port: `CONNECT port`, to which it answers `OK` and a number of its own. */
async function dialGuest(path: string, port: number): Promise<Deno.Conn> {
  const connection = await Deno.connect({ transport: "unix", path });
  try {
    await connection.write(new TextEncoder().encode(`CONNECT ${port}\n`));
    const answer = await readLine(connection);
    if (!/^OK \d{1,10}$/.test(answer)) throw new Error(`The hypervisor answered '${answer}'`);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Byte by byte: what follows the line is the judge's. */
async function readLine(connection: Deno.Conn): Promise<string> {
  const byte = new Uint8Array(1);
  for (let line = ""; line.length < MAX_ANSWER;) {
    if (await connection.read(byte) === null) throw new Error("The hypervisor closed the socket");
    if (byte[0] === 0x0a) return line;
    line += String.fromCharCode(byte[0]!);
  }
  throw new Error("The hypervisor's answer does not end");
}
