/**
 * Key servers for tests, to Seal's published wire format (`POST /v1/fetch_key`, `GET /v1/service`), on @noble/curves
 * alone: the unmodified SealClient talks to them. They check all that real ones check (the caller's certificate, the
 * session's signature, the ElGamal key pair, the form of the transaction), and instead of simulating the transaction
 * they ask a policy that the test gives.
 *
 * Source: the Seal repository's key server and TypeScript client. Identity-based encryption is Boneh–Franklin over
 * BLS12-381 with keys in G1: `usk = sk · H1(dst ‖ package ‖ id)`, sent to the caller under ElGamal in G1.
 *
 * @module
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bcs } from "@mysten/sui/bcs";
import type { SuiGrpcClient } from "@mysten/sui/grpc";
import { normalizeSuiAddress, toBase64 } from "@mysten/sui/utils";
import { verifyPersonalMessageSignature } from "@mysten/sui/verify";
import { type Bytes, concat, fromHex, utf8 } from "../../enclave/protocol/bytes.ts";

const { G1, G2, fields, pairing, shortSignatures } = bls12_381;
const ID_DST = utf8("SUI-SEAL-IBE-BLS12381-00");
const POP_DST = utf8("SUI-SEAL-IBE-BLS12381-POP-00");
const HASH_DST = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
const VERSION = "0.5.12";
const MAX_TTL_MIN = 30;

/** Throws unless `sender` may have the key of `id`, which is without the package's part. */
export type SealPolicy = (sender: string, id: Bytes) => Promise<void>;

/** How a key server misbehaves. */
export type SealFault =
  | "none"
  /** Answers 500. */
  | "broken"
  /** Answers what is no JSON. */
  | "garbage"
  /** Answers without end. */
  | "endless"
  /** Sends elsewhere. */
  | "redirect"
  /** Gives the key of another master key. */
  | "forged"
  /** Gives the right key of another id. */
  | "another id"
  /** Proves nothing of its key: `GET /v1/service` is signed by another. */
  | "impostor"
  /** Says nothing of its version, as servers of long ago. */
  | "old";

/** A running key server. */
export interface SealServer extends AsyncDisposable {
  /** Id of its object. */
  readonly objectId: string;
  /** Its address. */
  readonly url: string;
  /** Its public key, 96 bytes. */
  readonly publicKey: Bytes;
  /** From now on. */
  fault: SealFault;
  /** Questions so far, by path. */
  readonly asked: string[];
}

/** Refuse with one of the names that clients know. */
class Refused extends Error {
  constructor(readonly kind: string, readonly status = 403) {
    super(kind);
  }
}

/** Start a key server whose object has the id `objectId`, for keys of one package. */
export function startSealServer(
  objectId: string,
  packageId: string,
  policy: SealPolicy,
): SealServer {
  const secret = fields.Fr.fromBytes(bls12_381.utils.randomSecretKey());
  const publicKey = G2.Point.BASE.multiply(secret).toBytes() as Bytes;
  const prefix = fromHex(packageId.slice(2), 32);

  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    self.asked.push(url.pathname);
    const misbehaved = misbehave(self.fault);
    if (misbehaved !== undefined) return misbehaved;
    const headers: HeadersInit = self.fault === "old" ? {} : { "X-KeyServer-Version": VERSION };
    try {
      return Response.json(await answer(request, url), { headers });
    } catch (error) {
      const kind = error instanceof Refused ? error.kind : "Failure";
      const status = error instanceof Refused ? error.status : 500;
      return Response.json({ error: kind, message: kind }, { status, headers });
    }
  });

  async function answer(request: Request, url: URL): Promise<unknown> {
    const known = request.headers.get("Client-Sdk-Type") === "typescript" &&
      /^\d+\.\d+\.\d+$/.test(request.headers.get("Client-Sdk-Version") ?? "") &&
      request.headers.has("Request-Id");
    if (!known) throw new Refused("InvalidSDKType", 400);
    if (request.method === "GET" && url.pathname === "/v1/service") {
      if (url.searchParams.get("service_id") !== objectId) throw new Refused("InvalidServiceId");
      const claim = shortSignatures.hash(concat(POP_DST, publicKey, fromHex(objectId.slice(2))));
      const signer = self.fault === "impostor" ? bls12_381.utils.randomSecretKey() : null;
      const pop = shortSignatures.sign(claim, signer ?? fields.Fr.toBytes(secret));
      return { service_id: objectId, pop: toBase64(shortSignatures.Signature.toBytes(pop)) };
    }
    if (request.method === "POST" && url.pathname === "/v1/fetch_key") {
      return await keysFor(await request.json());
    }
    throw new Refused("NotFound", 404);
  }

  async function keysFor(body: Record<string, unknown>): Promise<unknown> {
    const { certificate } = body as { certificate: Certificate };
    const ptb = decode(body.ptb);
    const encKey = decode(body.enc_key);
    const encVerificationKey = decode(body.enc_verification_key);
    await checkCertificate(certificate, packageId);
    const signed = Request64.serialize({ ptb, encKey, encVerificationKey }).toBytes();
    const sessionOk = attempt(() =>
      ed25519.verify(decode(body.request_signature), signed, decode(certificate.session_vk))
    );
    if (!sessionOk) throw new Refused("InvalidSessionSignature");
    const receiver = G1.Point.fromBytes(encKey);
    const verifier = G2.Point.fromBytes(encVerificationKey);
    const pair = fields.Fp12.eql(
      pairing(receiver, G2.Point.BASE),
      pairing(G1.Point.BASE, verifier),
    );
    if (!pair) throw new Refused("InvalidParameter", 400);
    const ids = idsOf(ptb, packageId);
    for (const id of ids) {
      await policy(certificate.user, id).catch(() => Promise.reject(new Refused("NoAccess")));
    }
    return { decryption_keys: ids.map((id) => sealedKey(id, receiver)) };
  }

  function sealedKey(id: Bytes, receiver: InstanceType<typeof G1.Point>) {
    const full = concat(prefix, self.fault === "another id" ? id.map((byte) => byte ^ 1) : id);
    const master = self.fault === "forged" ? secret + 1n : secret;
    const user = G1.hashToCurve(concat(ID_DST, full), { DST: HASH_DST }).multiply(master);
    const r = fields.Fr.fromBytes(bls12_381.utils.randomSecretKey());
    const encrypted = [G1.Point.BASE.multiply(r), receiver.multiply(r).add(user as never)];
    return {
      id: [...concat(prefix, id)],
      encrypted_key: encrypted.map((point) => toBase64(point.toBytes())),
    };
  }

  const self: SealServer = {
    objectId,
    url: `http://127.0.0.1:${server.addr.port}`,
    publicKey,
    fault: "none",
    asked: [],
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return self;
}

/** What a session signs: BCS of three byte vectors. */
const Request64 = bcs.struct("RequestFormat", {
  ptb: bcs.byteVector(),
  encKey: bcs.byteVector(),
  encVerificationKey: bcs.byteVector(),
});

interface Certificate {
  readonly user: string;
  readonly session_vk: string;
  readonly creation_time: number;
  readonly ttl_min: number;
  readonly signature: string;
}

/** The user's wallet signed, for this package and not too long, the session's key. */
async function checkCertificate(certificate: Certificate, packageId: string): Promise<void> {
  const { user, session_vk, creation_time, ttl_min, signature } = certificate;
  const now = Date.now();
  const current = Number.isInteger(ttl_min) && ttl_min > 0 && ttl_min <= MAX_TTL_MIN &&
    creation_time <= now && now <= creation_time + 60_000 * ttl_min;
  if (!current) throw new Refused("InvalidCertificate");
  const since = new Date(creation_time).toISOString().slice(0, 19).replace("T", " ");
  const message = `Accessing keys of package ${packageId} for ${ttl_min} mins from ${since} UTC, ` +
    `session key ${session_vk}`;
  try {
    await verifyPersonalMessageSignature(utf8(message), signature, { address: user });
  } catch {
    throw new Refused("InvalidSignature");
  }
}

/** The ids of a transaction that does nothing but `seal_approve…` calls of one package. */
function idsOf(ptb: Uint8Array, packageId: string): Bytes[] {
  let transaction: ReturnType<typeof bcs.ProgrammableTransaction.parse>;
  try {
    transaction = bcs.ProgrammableTransaction.parse(ptb);
  } catch {
    throw new Refused("InvalidPTB", 400);
  }
  const { commands, inputs } = transaction;
  if (commands.length === 0) throw new Refused("InvalidPTB", 400);
  return commands.map(({ MoveCall: call }) => {
    const first = call?.arguments[0];
    const input = first?.$kind === "Input" ? inputs[first.Input] : undefined;
    if (!call?.function.startsWith("seal_approve") || input?.Pure === undefined) {
      throw new Refused("InvalidPTB", 400);
    }
    if (normalizeSuiAddress(call.package) !== packageId) throw new Refused("InvalidPackage");
    return new Uint8Array(bcs.byteVector().parse(decode(input.Pure.bytes)));
  });
}

function misbehave(fault: SealFault): Response | undefined {
  switch (fault) {
    case "broken":
      return Response.json({ error: "Failure", message: "it hurts" }, { status: 500 });
    case "garbage":
      return new Response("<html>", { headers: { "X-KeyServer-Version": VERSION } });
    case "endless":
      return new Response(
        new ReadableStream({ pull: (out) => out.enqueue(new Uint8Array(1 << 16).fill(32)) }),
        { headers: { "X-KeyServer-Version": VERSION } },
      );
    case "redirect":
      return new Response(null, { status: 307, headers: { location: "http://127.0.0.1:9/" } });
    default:
      return undefined;
  }
}

function decode(text: unknown): Bytes {
  if (typeof text !== "string") throw new Refused("InvalidParameter", 400);
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

function attempt(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

/**
 * The Sui node that SealClient reads key servers and the package from, SCRIPTED: it knows these objects alone and
 * answers what is written here.
 */
export function scriptedSuiClient(
  packageId: string,
  servers: readonly SealServer[],
): SuiGrpcClient {
  const byId = new Map(servers.map((server) => [server.objectId, server]));
  const missing = (id: string) => Promise.reject(new Error(`There is no object ${id}`));
  const core = {
    getObject({ objectId }: { objectId: string }) {
      if (objectId === packageId) return Promise.resolve({ object: { version: "1" } });
      if (!byId.has(objectId)) return missing(objectId);
      const content = Server.serialize({ id: objectId, firstVersion: 1, lastVersion: 1 }).toBytes();
      return Promise.resolve({ object: { version: "7", content } });
    },
    getDynamicField({ parentId }: { parentId: string }) {
      const server = byId.get(parentId);
      if (server === undefined) return missing(parentId);
      const { publicKey: pk, url } = server;
      const value = ServerV1.serialize({ name: "a test's", url, keyType: 0, pk }).toBytes();
      return Promise.resolve({ dynamicField: { value: { bcs: value } } });
    },
  };
  return { core } as unknown as SuiGrpcClient;
}

const Server = bcs.struct("KeyServer", {
  id: bcs.Address,
  firstVersion: bcs.u64(),
  lastVersion: bcs.u64(),
});
const ServerV1 = bcs.struct("KeyServerV1", {
  name: bcs.string(),
  url: bcs.string(),
  keyType: bcs.u8(),
  pk: bcs.byteVector(),
});
