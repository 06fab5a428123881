/**
 * What tests of the ledger on Sui share: a transport that answers from a script, and the messages of one small
 * deployment. It simulates nothing: every answer is written down by the test.
 *
 * @module
 */
import assert from "node:assert/strict";
import { GrpcTypes, RpcError, type RpcTransport, type SuiGrpcClient } from "@mysten/sui/grpc";
import { deriveDynamicFieldID, normalizeSuiAddress } from "@mysten/sui/utils";
import { count, encode, field, type Layout } from "./layout/layout.ts";
import {
  type Deployment,
  type NetworkProfile,
  SHARED_OBJECTS,
  type SharedName,
} from "./profile.ts";
import { clientOf } from "./sui_ledger.ts";

/** An answer: a message's fields, messages of a stream, or an error to throw. */
export type Answer = object | readonly object[] | Error;

/** One request that is expected, and its answer. */
export interface Step {
  /** Name of the method, e.g. `GetEpoch`. */
  readonly method: string;
  /** What is answered, or how to make it from the request. */
  // deno-lint-ignore no-explicit-any -- a request of any method
  readonly answer: Answer | ((request: any) => Answer);
}

interface Method {
  readonly name: string;
  readonly I: Codec;
  readonly O: Codec;
}
interface Codec {
  create(value: object): object;
  toBinary(value: object): Uint8Array;
  fromBinary(bytes: Uint8Array): object;
}

/**
 * Answers requests from a script, in order for each method. Requests and answers go through their protobuf
 * encoding, so that a script cannot hold what no node could send.
 */
export class ScriptedTransport {
  readonly #steps: Step[];
  /** Names of the methods that were called. */
  readonly called: string[] = [];
  /** The requests, in order. */
  // deno-lint-ignore no-explicit-any -- requests of any method
  readonly requests: any[] = [];

  /** Answers by `steps`. */
  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  /** More answers. */
  add(...steps: Step[]): void {
    this.#steps.push(...steps);
  }

  /** Refuse a script with answers that nobody asked for. */
  done(): void {
    assert.deepEqual(this.#steps.map(({ method }) => method), []);
  }

  /** As the client takes it. */
  get transport(): RpcTransport {
    const next = (method: Method, input: object) => {
      const request = method.I.fromBinary(method.I.toBinary(input));
      this.called.push(method.name);
      this.requests.push(request);
      const at = this.#steps.findIndex((step) => step.method === method.name);
      assert.notEqual(at, -1, `unexpected ${method.name} after ${this.called.join(" ")}`);
      const [{ answer }] = this.#steps.splice(at, 1) as [Step];
      const made = typeof answer === "function" ? answer(request) : answer;
      if (made instanceof Error) throw made;
      const wire = (value: object) =>
        method.O.fromBinary(method.O.toBinary(method.O.create(value)));
      return Array.isArray(made) ? made.map(wire) : wire(made);
    };
    const unary = async (method: Method, input: object) => {
      await Promise.resolve();
      return { response: next(method, input) };
    };
    const serverStreaming = (method: Method, input: object) => {
      const messages = (async function* () {
        await Promise.resolve();
        yield* next(method, input) as object[];
      })();
      return Object.assign(Promise.resolve({}), { responses: messages });
    };
    return {
      unary,
      serverStreaming,
      clientStreaming: unary,
      duplex: unary,
      mergeOptions: (options?: object) => options ?? {},
    } as unknown as RpcTransport;
  }

  /** A client over it. */
  get client(): SuiGrpcClient {
    return clientOf(PROFILE, { transport: this.transport });
  }
}

/** An error with a gRPC status. */
export function rpcError(code: string, message: string): Error {
  return new RpcError(message, code);
}

/** A 32-byte id that ends in `n`. */
export function idOf(n: number): string {
  return normalizeSuiAddress(`0x${n.toString(16)}`);
}

const NAMES = Object.keys(SHARED_OBJECTS) as SharedName[];

/** The deployment's profile. */
export const PROFILE: NetworkProfile = {
  name: "scripted",
  url: "http://127.0.0.1:1",
  chainId: "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S",
  packageId: idOf(0xab),
  objects: Object.fromEntries(NAMES.map((name, i) => [name, idOf(0x100 + i)])) as Record<
    SharedName,
    string
  >,
  model: "tiny",
  publisher: idOf(0xad),
};

/** The deployment. */
export const DEPLOYMENT: Deployment = {
  packageId: PROFILE.packageId,
  typesId: PROFILE.packageId,
  objects: Object.fromEntries(
    NAMES.map((name) => [name, { id: PROFILE.objects[name], initialSharedVersion: "7" }]),
  ) as Deployment["objects"],
};

const { Owner_OwnerKind } = GrpcTypes;

/** An object's message. */
export function objectMessage(
  objectId: string,
  parts: {
    readonly type?: string;
    readonly content?: Uint8Array;
    readonly version?: bigint;
    readonly owner?: string | null;
    readonly balance?: bigint;
    readonly previousTransaction?: string;
  } = {},
): object {
  return {
    objectId,
    version: parts.version ?? 8n,
    digest: DIGEST,
    objectType: parts.type ?? "0x2::dynamic_field::Field<u64, u64>",
    owner: parts.owner == null
      ? { kind: Owner_OwnerKind.SHARED, version: 7n }
      : { kind: Owner_OwnerKind.ADDRESS, address: parts.owner },
    previousTransaction: parts.previousTransaction ?? DIGEST,
    ...(parts.content === undefined ? {} : { contents: { value: parts.content } }),
    ...(parts.balance === undefined ? {} : { balance: parts.balance }),
  };
}

/** 32 bytes in base58. */
export const DIGEST = "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S";

/** Answers `BatchGetObjects` from `objects` by id; what is not there does not exist. */
export function objectsFrom(objects: ReadonlyMap<string, object>): Step {
  return {
    method: "BatchGetObjects",
    answer: (request: { requests: { objectId: string }[] }) => ({
      objects: request.requests.map(({ objectId }) => {
        const object = objects.get(objectId);
        return object === undefined
          ? {
            result: { oneofKind: "error", error: { code: 5, message: "not found", details: [] } },
          }
          : { result: { oneofKind: "object", object } };
      }),
    }),
  };
}

/** The messages of a deployment's package and shared objects. */
export function deployed(): Map<string, object> {
  const entries = NAMES.map((name) =>
    [
      PROFILE.objects[name],
      objectMessage(PROFILE.objects[name], {
        type: `${PROFILE.packageId}::${SHARED_OBJECTS[name]}`,
      }),
    ] as const
  );
  return new Map([
    [PROFILE.packageId, { ...objectMessage(PROFILE.packageId), objectType: "package" }],
    ...entries,
  ]);
}

/** Put a shared object's inner state among `objects`. */
export function putInner<T>(
  objects: Map<string, object>,
  name: SharedName,
  layout: Layout<T>,
  value: T,
): void {
  putField(objects, PROFILE.objects[name], "u64", count, 1, layout, value);
}

/** Put a dynamic field of `parent` among `objects`. */
export function putField<K, V>(
  objects: Map<string, object>,
  parent: string,
  type: string,
  key: Layout<K>,
  name: K,
  layout: Layout<V>,
  value: V,
  version = 8n,
): void {
  const id = deriveDynamicFieldID(parent, type, encode(key, name));
  const content = encode(field(key, layout), { id, name, value });
  objects.set(id, objectMessage(id, { content, version }));
}

/** Answers with a page of coins of `owner`: id, version and balance of each. */
export function coinsPage(
  owner: string,
  coins: readonly (readonly [id: string, version: bigint, balance: bigint])[],
): Step {
  const objects = coins.map(([id, version, balance]) =>
    objectMessage(id, { owner, version, balance, type: "0x2::coin::Coin<0x2::sui::SUI>" })
  );
  return { method: "ListOwnedObjects", answer: { objects } };
}

/** Answers with an epoch. */
export function epochStep(epoch: bigint): Step {
  return { method: "GetEpoch", answer: { epoch: { epoch, referenceGasPrice: 1_000n } } };
}

/** An executed transaction's message: `error` where it failed, `events` as type and BCS. */
export function executedMessage(
  digest: string,
  events: readonly (readonly [type: string, bcs: Uint8Array])[] = [],
  error?: object,
): object {
  return {
    digest,
    signatures: [],
    effects: {
      status: error === undefined ? { success: true } : { success: false, error },
      epoch: 5n,
      transactionDigest: digest,
      gasUsed: {
        computationCost: 1_000_000n,
        storageCost: 3_000_000n,
        storageRebate: 2_000_000n,
        nonRefundableStorageFee: 0n,
      },
      changedObjects: [],
      unchangedConsensusObjects: [],
      dependencies: [],
    },
    events: {
      events: events.map(([eventType, bcs]) => ({
        packageId: PROFILE.packageId,
        module: eventType.split("::")[1],
        sender: idOf(1),
        eventType,
        contents: { value: bcs },
      })),
    },
  };
}

/** A Move abort's message. */
export function abortMessage(module: string, constantName: string, code: number): object {
  return {
    description: "MoveAbort",
    command: 0n,
    kind: GrpcTypes.ExecutionError_ExecutionErrorKind.MOVE_ABORT,
    errorDetails: {
      oneofKind: "abort",
      abort: {
        abortCode: (1n << 63n) | BigInt(code) << 48n,
        location: { package: PROFILE.packageId, module, function: 1, instruction: 2 },
        cleverError: {
          errorCode: BigInt(code),
          constantName,
          constantType: "vector<u8>",
          value: { oneofKind: "rendered", rendered: "words of the contract" },
        },
      },
    },
  };
}
