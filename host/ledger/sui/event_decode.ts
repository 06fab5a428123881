/**
 * Events of the package as the log holds them: `module::Name`, fields in camelCase, amounts as decimal strings
 * and bytes as hexadecimal, under the names that the dev ledger gives them.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { EVENTS } from "./layout/events.ts";
import { type AnyLayout, decode, loose, looseText } from "./layout/layout.ts";

/** An event as a node tells it. */
export interface RawEvent {
  /** `0x…::module::Name`. */
  readonly eventType: string;
  /** Its BCS. */
  readonly bcs: Uint8Array;
}

/** An event's name and fields. */
export interface DecodedEvent {
  /** `module::Name`. */
  readonly kind: string;
  /** See {@link LedgerEvent}. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The struct of an event of package `typesId`, or null where it is another's. */
function layoutOf(typesId: string, eventType: string): AnyLayout | null {
  const [home, module, name] = eventType.split("<")[0]!.split("::");
  if (home === undefined || module === undefined || name === undefined) return null;
  if (BigInt(home) !== BigInt(typesId)) return null;
  const events = Object.hasOwn(EVENTS, module) ? EVENTS[module]! : {};
  return Object.hasOwn(events, name) ? events[name]! : null;
}

/** The fields of an event as its struct has them (snake_case), or null where it is not `kind` of our package. */
export function fieldsOf(
  typesId: string,
  event: RawEvent,
  kind: string,
): Readonly<Record<string, unknown>> | null {
  const layout = layoutOf(typesId, event.eventType);
  if (layout?.move !== kind) return null;
  return decode(layout, event.bcs, kind) as Readonly<Record<string, unknown>>;
}

/** The event for the log, or null where it is not one of the package that this program knows. */
export function decodeEvent(typesId: string, event: RawEvent): DecodedEvent | null {
  const layout = layoutOf(typesId, event.eventType);
  if (layout === null) return null;
  const body = plain(layout, decode(layout, event.bcs, layout.move)) as Record<string, unknown>;
  return rename({ kind: layout.move, body });
}

function plain(layout: AnyLayout, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return layout === loose ? looseText(value) : toHex(value);
  if (Array.isArray(value)) return value.map((item) => plain(layout, item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      plain(layout.fields?.[name] ?? layout, item),
    ]),
  );
}

/** Where the log's fields are not the struct's. */
function rename({ kind, body }: DecodedEvent): DecodedEvent {
  switch (kind) {
    case "gradient_registry::GradientRevealed": {
      const { storageRef, ...rest } = body;
      return { kind, body: { ...rest, ref: storageRef } };
    }
    case "enclave_registry::MeasurementApproved": {
      const { pcr0, pcr1, pcr2, ...rest } = body;
      return { kind, body: { ...rest, pcrs: [pcr0, pcr1, pcr2] } };
    }
    case "enclave_registry::EnclaveRegistered":
      // Sui's verifier knows AWS's root alone.
      return { kind, body: { ...body, simulated: false } };
    default:
      return { kind, body };
  }
}
