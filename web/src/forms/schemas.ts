/** Walking a JSON Schema from place to place: what holds of a value at once, and references within the document. */
import { FormError } from "./faults";
import { isObject, type JsonObject } from "./nodes";

export type Schema = JsonObject;

/** References and `allOf`s that may follow one another at one place. */
const HOPS = 32;

/** What a copy of a schema must not declare again; what refers to it still finds the original. */
const OF_THE_ORIGINAL = new Set(["$anchor", "$dynamicAnchor", "$defs", "definitions"]);

/** What `#/…` names in the document `root`. Throws FormError when there is no such schema. */
export function target(root: unknown, reference: string): Schema {
  let found = root;
  if (reference !== "#") {
    if (!reference.startsWith("#/")) {
      throw new FormError(`a field with conditions cannot be reached through $ref '${reference}'; write it as #/…`);
    }
    for (const part of reference.slice(2).split("/")) found = memberOf(found, unescaped(part), reference);
  }
  if (!isObject(found)) throw new FormError(`$ref '${reference}' names no schema`);
  return found;
}

function unescaped(part: string): string {
  let decoded = part;
  try {
    decoded = decodeURIComponent(part);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  return decoded.replaceAll("~1", "/").replaceAll("~0", "~");
}

function memberOf(holder: unknown, part: string, reference: string): unknown {
  if (isObject(holder) && Object.hasOwn(holder, part)) return holder[part];
  if (Array.isArray(holder) && /^[0-9]+$/.test(part) && Number(part) < holder.length) return holder[Number(part)];
  throw new FormError(`$ref '${reference}' names nothing in this document`);
}

/** `schema` with what its `$ref` names in place of the reference, so that it can be changed here alone. */
export function inlined(root: unknown, schema: Schema): Schema {
  let current = schema;
  for (let hop = 0; hop < HOPS; hop++) {
    if (!("$ref" in current)) return current;
    const reference = String(current.$ref);
    const named = target(root, reference);
    if ("$id" in named) {
      throw new FormError(`a field with conditions cannot be reached through $ref '${reference}', which has an $id`);
    }
    const copy = Object.fromEntries(Object.entries(named).filter(([name]) => !OF_THE_ORIGINAL.has(name)));
    const { $ref: _, ...beside } = current;
    const parts = Array.isArray(beside.allOf) ? beside.allOf : [];
    current = Object.keys(beside).length > 0 ? { ...beside, allOf: [...parts, copy] } : copy;
  }
  throw new FormError("a $ref leads back to itself");
}

/**
 * Every schema that a value must fit at this place: this one, what it refers to, its `allOf`.
 * What is referred to in a way that conditions cannot follow is left out.
 */
export function* parts(root: unknown, schema: unknown): Generator<Schema> {
  const waiting = [schema];
  for (let hop = 0; hop < HOPS * HOPS && waiting.length > 0; hop++) {
    const part = waiting.pop();
    if (!isObject(part)) continue;
    yield part;
    if (typeof part.$ref === "string") {
      const named = targetOrNull(root, part.$ref);
      if (named) waiting.push(named);
    }
    if (Array.isArray(part.allOf)) waiting.push(...part.allOf);
  }
}

export function targetOrNull(root: unknown, reference: string): Schema | null {
  try {
    return target(root, reference);
  } catch (error) {
    if (error instanceof FormError) return null;
    throw error;
  }
}
