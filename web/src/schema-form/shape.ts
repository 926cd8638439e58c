/** What of a JSON Schema a form shows at one place: references followed, parts put together, a kind of field found. */
import { FormError } from "#/forms";
import { isObject, type JsonObject } from "#/forms/nodes";
import { targetOrNull } from "#/forms/schemas";
import { Validation } from "#/forms/validation";

export type Kind =
  | "text"
  | "number"
  | "integer"
  | "boolean"
  | "null"
  | "object"
  | "list"
  | "choice"
  | "constant"
  | "variants"
  | "any";

export interface Choice {
  readonly value: unknown;
  /** Where the schema itself names it. */
  readonly title?: string;
}

export interface Shape {
  readonly kind: Kind;
  /** With what it refers to and what is in `allOf` put together. */
  readonly schema: JsonObject;
  /** Whether null is a value too, beside the others. */
  readonly nullable: boolean;
  /** Of a whole number: whether it may be a text of digits. */
  readonly asText: boolean;
  readonly choices: readonly Choice[];
  readonly variants: readonly JsonObject[];
}

/** References and parts within one another. */
const DEEPEST = 32;
const MOST_CHOICES = 5_000;

const kept = new WeakMap<object, WeakMap<object, Shape>>();

/** Never throws: what cannot be understood is a field of any JSON. */
export function shapeOf(root: JsonObject, schema: unknown): Shape {
  if (!isObject(schema)) return ANYTHING;
  const ofRoot = kept.get(root) ?? new WeakMap<object, Shape>();
  kept.set(root, ofRoot);
  const known = ofRoot.get(schema);
  if (known) return known;
  const shape = read(root, schema, 0);
  ofRoot.set(schema, shape);
  return shape;
}

function made(kind: Kind, schema: JsonObject, more: Partial<Shape> = {}): Shape {
  return { kind, schema, nullable: false, asText: false, choices: [], variants: [], ...more };
}

const ANYTHING = made("any", {});

function read(root: JsonObject, given: JsonObject, depth: number): Shape {
  const schema = merged(root, given, depth);
  if (depth > DEEPEST) return made("any", schema);
  if ("const" in schema) return made("constant", schema);
  if (Array.isArray(schema.enum))
    return choice(
      schema,
      schema.enum.map((value) => ({ value })),
    );
  const branches = branchesOf(schema);
  return branches ? branched(root, schema, branches, depth) : byType(schema);
}

function choice(schema: JsonObject, all: readonly Choice[]): Shape {
  const choices = all.filter(({ value }) => value !== null).slice(0, MOST_CHOICES);
  return made("choice", schema, { choices, nullable: choices.length < all.length });
}

function branchesOf(schema: JsonObject): readonly JsonObject[] | null {
  const said = schema.oneOf ?? schema.anyOf;
  return Array.isArray(said) && said.length > 0 && said.every(isObject) ? said : null;
}

function branched(root: JsonObject, schema: JsonObject, all: readonly JsonObject[], depth: number): Shape {
  const { oneOf, anyOf, ...base } = schema;
  const rest = oneOf && anyOf ? { ...base, anyOf } : base;
  const whole = all.map((branch) => merged(root, branch, depth + 1));
  const branches = whole.filter((branch) => branch.type !== "null" && branch.const !== null);
  const nullable = branches.length < whole.length;
  const [only, ...more] = branches;
  if (branches.every(isNamed) && only) {
    const choices = branches.map((branch) => ({
      value: "const" in branch ? branch.const : (branch.enum as unknown[])[0],
      ...(typeof branch.title === "string" && { title: branch.title }),
    }));
    return made("choice", rest, { choices, nullable });
  }
  if (only && more.length === 0) {
    const shape = read(root, joined(rest, only), depth + 1);
    return { ...shape, nullable: nullable || shape.nullable };
  }
  // Branches that only say which fields must be there, of an object that is described beside them.
  if (branches.every((branch) => !("properties" in branch) && !("type" in branch) && !("items" in branch)))
    return byType(rest);
  return made("variants", rest, { nullable, variants: branches.map((branch) => joined(rest, branch)) });
}

function isNamed(branch: JsonObject): boolean {
  return "const" in branch || (Array.isArray(branch.enum) && branch.enum.length === 1);
}

function byType(schema: JsonObject): Shape {
  const types = [schema.type].flat().filter((type): type is string => typeof type === "string");
  const others = types.filter((type) => type !== "null");
  const nullable = others.length < types.length;
  const [only, ...more] = others;
  if (only === undefined) return types.length > 0 ? made("null", schema) : byKeywords(schema);
  if (more.length === 0) return made(kindOf(only), schema, { nullable });
  if (others.every((type) => type === "string" || type === "integer" || type === "number")) {
    if (others.includes("string"))
      return made(others.includes("number") ? "any" : "integer", schema, { nullable, asText: true });
    return made("number", schema, { nullable });
  }
  return made("variants", schema, { nullable, variants: others.map((type) => ({ ...schema, type })) });
}

function kindOf(type: string): Kind {
  switch (type) {
    case "string":
      return "text";
    case "number":
    case "integer":
    case "boolean":
    case "object":
      return type;
    case "array":
      return "list";
    default:
      return "any";
  }
}

const BY_KEYWORD: readonly (readonly [Kind, readonly string[]])[] = [
  ["object", ["properties", "patternProperties", "additionalProperties", "minProperties"]],
  ["list", ["items", "prefixItems", "minItems", "uniqueItems"]],
  ["text", ["format", "pattern", "minLength", "maxLength"]],
  ["number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]],
];

function byKeywords(schema: JsonObject): Shape {
  const found = BY_KEYWORD.find(([, keywords]) => keywords.some((keyword) => keyword in schema));
  return found ? made(found[0], schema) : made("any", schema);
}

/** The schema with what it refers to and its `allOf` as one. */
function merged(root: JsonObject, schema: JsonObject, depth: number): JsonObject {
  if (depth > DEEPEST || (!("$ref" in schema) && !Array.isArray(schema.allOf))) return schema;
  const { $ref, allOf, ...own } = schema;
  let found: JsonObject = own;
  if (typeof $ref === "string") {
    const named = targetOrNull(root, $ref);
    if (named) found = joined(merged(root, named, depth + 1), found);
  }
  for (const part of Array.isArray(allOf) ? allOf : []) {
    if (isObject(part)) found = joined(merged(root, part, depth + 1), found);
  }
  return found;
}

/** What both say; where they differ, the latter. */
function joined(one: JsonObject, other: JsonObject): JsonObject {
  const both: JsonObject = { ...one, ...other };
  if (isObject(one.properties) && isObject(other.properties)) {
    both.properties = { ...one.properties, ...other.properties };
    for (const [name, schema] of Object.entries(other.properties)) {
      const before = Object.hasOwn(one.properties, name) ? one.properties[name] : undefined;
      if (isObject(before) && isObject(schema)) (both.properties as JsonObject)[name] = { ...before, ...schema };
    }
  }
  if (Array.isArray(one.required) && Array.isArray(other.required)) {
    both.required = [...new Set([...one.required, ...other.required])];
  }
  return both;
}

/** The schema with what `if`, `then`, `else` and `dependentSchemas` add for this value. */
export function schemaFor(root: JsonObject, schema: JsonObject, value: unknown): JsonObject {
  if (!("if" in schema) && !isObject(schema.dependentSchemas)) return schema;
  let found = schema;
  const add = (part: unknown) => {
    if (isObject(part)) found = joined(found, merged(root, part, 0));
  };
  if (isObject(schema.if)) add(fits(root, schema.if, value) ? schema.then : schema.else);
  for (const [name, part] of Object.entries(isObject(schema.dependentSchemas) ? schema.dependentSchemas : {})) {
    if (isObject(value) && Object.hasOwn(value, name)) add(part);
  }
  return found;
}

const validations = new WeakMap<object, Validation | null>();

/** Whether `value` fits a schema of the document `root`; false where that cannot be told. */
export function fits(root: JsonObject, schema: JsonObject, value: unknown): boolean {
  try {
    let validation = validations.get(schema);
    if (validation === undefined) {
      const { $defs, definitions } = root;
      validation = new Validation({
        ...($defs !== undefined && { $defs }),
        ...(definitions !== undefined && { definitions }),
        allOf: [schema],
      });
      validations.set(schema, validation);
    }
    return validation?.isValid(value) ?? false;
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    validations.set(schema, null);
    return false;
  }
}

/** Which of several shapes a value is of: by its mark (`kind: const`), else the first that it fits, else by its type; -1 for none. */
export function variantOf(root: JsonObject, variants: readonly JsonObject[], value: unknown): number {
  const marked = variants.findIndex((variant) => isMarked(root, variant, value));
  if (marked >= 0) return marked;
  const fitting = variants.findIndex((variant) => fits(root, variant, value));
  return fitting >= 0 ? fitting : variants.findIndex((variant) => isOfKind(shapeOf(root, variant).kind, value));
}

function isMarked(root: JsonObject, variant: JsonObject, value: unknown): boolean {
  const { properties } = shapeOf(root, variant).schema;
  if (!isObject(properties) || !isObject(value)) return false;
  return Object.entries(properties).some(
    ([name, schema]) =>
      isObject(schema) && "const" in schema && Object.hasOwn(value, name) && value[name] === schema.const,
  );
}

export function isOfKind(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "number":
    case "integer":
      return typeof value === "number" || typeof value === "bigint";
    case "boolean":
      return typeof value === "boolean";
    case "object":
      return isObject(value);
    case "list":
      return Array.isArray(value);
    case "null":
      return value === null;
    default:
      return true;
  }
}

/** Members by name, in the schema's order. */
export function membersOf(schema: JsonObject): [string, unknown][] {
  return isObject(schema.properties) ? Object.entries(schema.properties) : [];
}

export function isRequired(schema: JsonObject, name: string): boolean {
  return Array.isArray(schema.required) && schema.required.includes(name);
}
