/** The value that a new form begins with. */
import { isObject, type JsonObject } from "#/forms/nodes";
import { fieldSpecs } from "./look";
import { ABSENT } from "./place";
import { isRequired, membersOf, type Shape, shapeOf } from "./shape";

/** Objects within one another that are looked into; a schema may lead back to itself. */
const DEEPEST = 8;

/** Defaults put in, constants that must be there, and what is empty by nature. */
export function firstValue(schema: unknown, ui: unknown): unknown {
  const root = isObject(schema) ? schema : {};
  const found = first(root, shapeOf(root, root), isObject(ui) ? ui : {}, true, 0);
  return found === ABSENT ? {} : found;
}

/** What an element that is added to a list, or a variant that is chosen, begins with. */
export function firstOf(root: JsonObject, schema: unknown, spec: JsonObject): unknown {
  const shape = shapeOf(root, schema);
  const found = first(root, shape, spec, true, 0);
  return found === ABSENT ? emptyOf(shape) : found;
}

function first(root: JsonObject, shape: Shape, spec: JsonObject, required: boolean, depth: number): unknown {
  const fallback = spec.default ?? spec["ui:default"] ?? shape.schema.default;
  if (fallback !== undefined) return structuredClone(fallback);
  if (!required && shape.kind !== "object") return ABSENT;
  switch (shape.kind) {
    case "constant":
      return structuredClone(shape.schema.const);
    case "boolean":
      return shape.nullable ? ABSENT : false;
    case "list":
      return [];
    case "object":
      return firstObject(root, shape.schema, spec, required, depth);
    default:
      return ABSENT;
  }
}

function firstObject(
  root: JsonObject,
  schema: JsonObject,
  spec: JsonObject,
  required: boolean,
  depth: number,
): unknown {
  const specs = fieldSpecs(spec);
  const members = depth >= DEEPEST ? [] : membersOf(schema);
  const begun = members.map(([name, member]): [string, unknown] => {
    const needed = required && isRequired(schema, name);
    return [name, first(root, shapeOf(root, member), specs.get(name) ?? {}, needed, depth + 1)];
  });
  const there = begun.filter(([, value]) => value !== ABSENT);
  return there.length > 0 || required ? Object.fromEntries(there) : ABSENT;
}

function emptyOf({ kind, nullable, choices }: Shape): unknown {
  if (nullable) return null;
  if (kind === "choice") return choices[0]?.value ?? null;
  if (kind === "number" || kind === "integer") return 0;
  return kind === "text" ? "" : kind === "any" || kind === "variants" ? {} : null;
}
