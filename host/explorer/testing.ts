/**
 * Test support, imported by tests only: holds answers against `openapi.json`. It knows the words of JSON Schema that the file uses, and
 * throws at any other, so that nothing is passed over in silence.
 *
 * @module
 */

/** A schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

/** An operation of the file. */
export interface Operation {
  /** What it takes. */
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Schema;
  }[];
  /** What it answers, by status. */
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

/** The file. */
export interface OpenApi {
  /** By path. */
  readonly paths: Readonly<Record<string, { readonly get: Operation }>>;
  /** Schemas by name. */
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The file, read. */
export async function readOpenApi(): Promise<OpenApi> {
  return JSON.parse(await Deno.readTextFile(new URL("./openapi.json", import.meta.url)));
}

const ANNOTATIONS = new Set(["description", "default", "format"]);

/** What of `value` is not as `schema` says, each with its place. */
export function faults(api: OpenApi, schema: Schema, value: unknown, at = "$"): string[] {
  const found: string[] = [];
  for (const [word, rule] of Object.entries(schema)) {
    const check = WORDS[word];
    if (check !== undefined) found.push(...check(api, rule as never, value, at, schema));
    else if (!ANNOTATIONS.has(word)) throw new TypeError(`Cannot check '${word}' at ${at}`);
  }
  return found;
}

type Word = (api: OpenApi, rule: never, value: unknown, at: string, whole: Schema) => string[];

const bad = (isBad: boolean, at: string, why: string) => isBad ? [`${at} ${why}`] : [];
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isSafeInteger(value) ? "integer" : typeof value;
}

const WORDS: Readonly<Record<string, Word>> = {
  $ref: (api, rule: string, value, at) => {
    const name = rule.replace("#/components/schemas/", "");
    const schema = api.components.schemas[name];
    if (schema === undefined) throw new TypeError(`Cannot find ${rule}`);
    return faults(api, schema, value, at);
  },
  type: (_, rule: string | string[], value, at) =>
    bad(![rule].flat().includes(typeOf(value)), at, `is ${typeOf(value)}, not ${rule}`),
  enum: (_, rule: unknown[], value, at) =>
    bad(!rule.includes(value), at, `is ${value}, not one of ${rule}`),
  oneOf: (api, rule: Schema[], value, at) => {
    const each = rule.map((schema) => faults(api, schema, value, at));
    return each.filter(({ length }) => length === 0).length === 1 ? [] : each.flat();
  },
  pattern: (_, rule: string, value, at) =>
    bad(typeof value === "string" && !new RegExp(rule).test(value), at, `does not match ${rule}`),
  minLength: (_, rule: number, value, at) =>
    bad(typeof value === "string" && value.length < rule, at, "is too short"),
  maxLength: (_, rule: number, value, at) =>
    bad(typeof value === "string" && value.length > rule, at, "is too long"),
  minimum: (_, rule: number, value, at) =>
    bad(typeof value === "number" && value < rule, at, `is below ${rule}`),
  maximum: (_, rule: number, value, at) =>
    bad(typeof value === "number" && value > rule, at, `is above ${rule}`),
  maxItems: (_, rule: number, value, at) =>
    bad(Array.isArray(value) && value.length > rule, at, `has more than ${rule} items`),
  items: (api, rule: Schema, value, at) =>
    Array.isArray(value) ? value.flatMap((item, i) => faults(api, rule, item, `${at}[${i}]`)) : [],
  required: (_, rule: string[], value, at) =>
    isObject(value)
      ? rule.filter((name) => !(name in value)).map((name) => `${at} lacks ${name}`)
      : [],
  properties: (api, rule: Record<string, Schema>, value, at) =>
    isObject(value)
      ? Object.entries(rule).flatMap(([name, schema]) =>
        name in value ? faults(api, schema, value[name], `${at}.${name}`) : []
      )
      : [],
  additionalProperties: (api, rule: Schema | false, value, at, { properties = {} }) => {
    if (!isObject(value)) return [];
    const more = Object.keys(value).filter((name) => !(name in (properties as object)));
    return rule === false
      ? more.map((name) => `${at} has ${name}, which is not documented`)
      : more.flatMap((name) => faults(api, rule, value[name], `${at}.${name}`));
  },
};
