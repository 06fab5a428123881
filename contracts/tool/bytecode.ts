/**
 * What a module's bytecode says of itself: its name, its structs, the functions that others may call.
 *
 * @module
 */
import { deserialize } from "@mysten/move-bytecode-template";

/** A type in a signature, as the deserializer gives it. */
type Token =
  | string
  | { Vector: Token }
  | { Reference: Token }
  | { MutableReference: Token }
  | { Datatype: number }
  | { DatatypeInstantiation: [number, Token[]] }
  | { TypeParameter: number };

interface TypeParameter {
  constraints: number;
  is_phantom: boolean;
}

/** The parts of a compiled module (Move binary format, version 7) that are read here. */
interface CompiledModule {
  self_module_handle_idx: number;
  module_handles: { address: number; name: number }[];
  address_identifiers: string[];
  identifiers: string[];
  datatype_handles: {
    module: number;
    name: number;
    abilities: number;
    type_parameters: TypeParameter[];
  }[];
  function_handles: {
    name: number;
    parameters: number;
    return_: number;
    type_parameters: (number | { bits: number })[];
  }[];
  signatures: Token[][];
  struct_defs: {
    struct_handle: number;
    field_information: "Native" | { Declared: { name: number; signature: Token }[] };
  }[];
  function_defs: { function: number; visibility: string; is_entry: boolean }[];
}

/** What a module shows to others. */
export interface ModuleShape {
  /** Its name. */
  name: string;
  /** Its structs: declaration and number of fields, sorted by declaration. */
  structs: { declaration: string; fields: string[] }[];
  /** Its public and entry functions as Move would declare them, sorted. */
  functions: string[];
}

/** Bits of a set of abilities, in the format's order. */
const ABILITIES = [[1, "copy"], [2, "drop"], [4, "store"], [8, "key"]] as const;

/** Read `bytes`, a module that the compiler made. */
export function shapeOf(bytes: Uint8Array): ModuleShape {
  const module = deserialize(bytes) as CompiledModule;
  const self = module.module_handles[module.self_module_handle_idx]!;
  const id = (index: number) => module.identifiers[index]!;

  const datatype = (index: number): string => {
    const { module: of, name } = module.datatype_handles[index]!;
    if (of === module.self_module_handle_idx) return id(name);
    const { address, name: owner } = module.module_handles[of]!;
    const at = BigInt(`0x${module.address_identifiers[address]!}`);
    return `${at === 0n ? "" : `0x${at.toString(16)}::`}${id(owner)}::${id(name)}`;
  };
  const type = (token: Token): string => {
    if (typeof token === "string") return token.toLowerCase();
    if ("Vector" in token) return `vector<${type(token.Vector)}>`;
    if ("Reference" in token) return `&${type(token.Reference)}`;
    if ("MutableReference" in token) return `&mut ${type(token.MutableReference)}`;
    if ("Datatype" in token) return datatype(token.Datatype);
    if ("TypeParameter" in token) return `T${token.TypeParameter}`;
    const [index, types] = token.DatatypeInstantiation;
    return `${datatype(index)}<${types.map(type).join(", ")}>`;
  };
  const parameters = (constraints: number[], phantom: boolean[] = []) =>
    constraints.length === 0 ? "" : `<${
      constraints.map((bits, i) => {
        const names = abilities(bits).join(" + ");
        return `${phantom[i] ? "phantom " : ""}T${i}${names === "" ? "" : `: ${names}`}`;
      }).join(", ")
    }>`;

  return {
    name: id(self.name),
    structs: module.struct_defs.map(({ struct_handle, field_information }) => {
      const handle = module.datatype_handles[struct_handle]!;
      const generics = parameters(
        handle.type_parameters.map(({ constraints }) => constraints),
        handle.type_parameters.map(({ is_phantom }) => is_phantom),
      );
      const has = abilities(handle.abilities).join(", ");
      return {
        declaration: `struct ${id(handle.name)}${generics}${has === "" ? "" : ` has ${has}`}`,
        fields: field_information === "Native"
          ? []
          : field_information.Declared.map((field) =>
            `${id(field.name)}: ${type(field.signature)}`
          ),
      };
    }).sort((a, b) => a.declaration < b.declaration ? -1 : 1),
    functions: module.function_defs.flatMap(({ function: index, visibility, is_entry }) => {
      if (visibility !== "Public" && !is_entry) return [];
      const handle = module.function_handles[index]!;
      const generics = parameters(
        handle.type_parameters.map((set) => typeof set === "number" ? set : set.bits),
      );
      const takes = module.signatures[handle.parameters]!.map(type).join(", ");
      const gives = module.signatures[handle.return_]!.map(type);
      const result = gives.length === 0
        ? ""
        : gives.length === 1
        ? `: ${gives[0]}`
        : `: (${gives.join(", ")})`;
      const words = [...visibility === "Public" ? ["public"] : [], ...is_entry ? ["entry"] : []];
      return [`${words.join(" ")} fun ${id(handle.name)}${generics}(${takes})${result}`];
    }).sort(),
  };
}

function abilities(bits: number): string[] {
  return ABILITIES.flatMap(([bit, name]) => (bits & bit) !== 0 ? [name] : []);
}
