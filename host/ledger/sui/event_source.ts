/**
 * The package's events as a node lists them (`LedgerService.ListEvents`): a stream of events with watermarks,
 * which ends by saying why. A stream without its end was cut off and counts for nothing.
 *
 * @module
 */
import { GrpcTypes, type SuiGrpcClient } from "@mysten/sui/grpc";
import { SuiError } from "./errors.ts";
import type { EventPage, EventSource, SourceEvent } from "./event_index.ts";
import { readError } from "./rpc_error.ts";

const { QueryEndReason } = GrpcTypes;

/** {@link EventSource} over a node's gRPC. */
export class GrpcEventSource implements EventSource {
  readonly #client: SuiGrpcClient;
  readonly #typesId: string;
  readonly #publishedAt: number | undefined;
  readonly #timeoutMs: number;
  readonly #times = new Map<bigint, number>();

  /** Events of the package that `typesId` defined, from checkpoint `publishedAt` on. */
  constructor(
    client: SuiGrpcClient,
    typesId: string,
    publishedAt: number | undefined,
    timeoutMs = 30_000,
  ) {
    this.#client = client;
    this.#typesId = typesId;
    this.#publishedAt = publishedAt;
    this.#timeoutMs = timeoutMs;
  }

  /** See {@link EventSource}. */
  async page(cursor: string | null, limit: number): Promise<EventPage> {
    try {
      return await this.#page(cursor, limit);
    } catch (error) {
      throw readError(error);
    }
  }

  async #page(cursor: string | null, limit: number): Promise<EventPage> {
    const abort = AbortSignal.timeout(this.#timeoutMs);
    const call = this.#client.ledgerService.listEvents({
      readMask: {
        paths: ["event_type", "contents", "checkpoint", "transaction_digest", "event_index"],
      },
      ...(cursor === null && this.#publishedAt !== undefined
        ? { startCheckpoint: BigInt(this.#publishedAt) }
        : {}),
      filter: {
        terms: [{
          literals: [{
            negated: false,
            // By the struct's package, not the caller's: others may call ours, and upgrades keep their types.
            predicate: { oneofKind: "eventType", eventType: { eventType: this.#typesId } },
          }],
        }],
      },
      options: { limit, ...(cursor === null ? {} : { after: fromBase64(cursor) }) },
    }, { abort });
    const events: SourceEvent[] = [];
    let frontier: Uint8Array | undefined;
    let reason: number | undefined;
    for await (const frame of call.responses) {
      if (reason !== undefined) {
        throw new SuiError("truncated", "Events follow the end of their page");
      }
      if (frame.watermark?.cursor !== undefined) frontier = frame.watermark.cursor;
      if (frame.event !== undefined) {
        if (events.length === limit) {
          throw new SuiError("truncated", `The node gave more events than the ${limit} asked for`);
        }
        events.push(await this.#event(frame.event, abort));
      }
      if (frame.end !== undefined) reason = frame.end.reason ?? QueryEndReason.UNKNOWN;
    }
    await call; // rejects where the stream broke off
    if (reason === undefined) {
      throw new SuiError("truncated", "A page of events was cut off: it came without its end");
    }
    const more = reason === QueryEndReason.ITEM_LIMIT || reason === QueryEndReason.SCAN_LIMIT;
    if (frontier === undefined && (more || events.length > 0)) {
      throw new SuiError("truncated", "A page of events came without a cursor to go on from");
    }
    return { events, cursor: frontier === undefined ? null : toBase64(frontier), more };
  }

  async #event(event: GrpcTypes.Event, abort: AbortSignal): Promise<SourceEvent> {
    const { checkpoint, contents, eventIndex, eventType, transactionDigest } = event;
    if (
      checkpoint === undefined || contents?.value === undefined || eventIndex === undefined ||
      eventType === undefined || transactionDigest === undefined
    ) throw new SuiError("truncated", "An event of the node lacks a field");
    return {
      checkpoint: Number(checkpoint),
      atMs: await this.#timeOf(checkpoint, abort),
      digest: transactionDigest,
      eventIndex,
      eventType,
      bcs: contents.value,
    };
  }

  async #timeOf(checkpoint: bigint, abort: AbortSignal): Promise<number> {
    const known = this.#times.get(checkpoint);
    if (known !== undefined) return known;
    const { response } = await this.#client.ledgerService.getCheckpoint({
      checkpointId: { oneofKind: "sequenceNumber", sequenceNumber: checkpoint },
      readMask: { paths: ["summary.timestamp"] },
    }, { abort });
    const time = response.checkpoint?.summary?.timestamp;
    if (time === undefined) throw new SuiError("truncated", `Checkpoint ${checkpoint} has no time`);
    const ms = Number(time.seconds) * 1_000 + Math.floor(time.nanos / 1_000_000);
    if (this.#times.size > 1_000) this.#times.clear();
    this.#times.set(checkpoint, ms);
    return ms;
  }
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
