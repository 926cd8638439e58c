/**
 * JSON Schema 2020-12 in the browser: @cfworker/json-schema finds what is wrong, and it is told as the server tells it
 * (`src/croupier/descriptors/violations.py`): by the field, the keyword, and where one alternative was clearly meant, by that.
 */
import { type Schema as CfSchema, type OutputUnit, Validator } from "@cfworker/json-schema";
import { FormError, pointerSteps, type ValueFault } from "./faults";
import "./formats";
import { isObject, type JsonObject } from "./nodes";
import { type Schema, targetOrNull } from "./schemas";
import { sentence } from "./sentences";

const MANY = 20;

/** Keywords whose complaint is followed by those of the schemas in them. */
const AROUND = new Set([
  "$ref",
  "anyOf",
  "allOf",
  "oneOf",
  "if",
  "properties",
  "patternProperties",
  "additionalProperties",
  "unevaluatedProperties",
  "propertyNames",
  "dependentSchemas",
  "prefixItems",
  "items",
  "unevaluatedItems",
  "contains",
]);

interface Violation {
  readonly keyword: string;
  /** Where in the schema, as a pointer that goes through `$ref`. */
  readonly said: string;
  /** Where in the value, as a JSON pointer. */
  readonly at: string;
  readonly words: string;
  readonly inside: readonly Violation[];
}

/** A schema that values are held against; safe to share. */
export class Validation {
  readonly #validator: Validator;

  /** Throws FormError for a schema that cannot be used. */
  constructor(private readonly schema: Schema) {
    try {
      // The library writes into the schema that it is given.
      this.#validator = new Validator(structuredClone(schema) as CfSchema, "2020-12", false);
    } catch (error) {
      throw new FormError(`not a usable JSON Schema: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** What is wrong with `value`, the first `most` of it. Throws FormError where that cannot be told. */
  faults(value: unknown, most = Number.POSITIVE_INFINITY): ValueFault[] {
    const { valid, errors } = this.#validate(value);
    if (valid) return [];
    const told: ValueFault[] = [];
    for (const violation of gathered(errors)) {
      if (told.length >= most) break;
      told.push(...this.#told(violation));
    }
    return told.slice(0, most);
  }

  isValid(value: unknown): boolean {
    return this.#validate(value).valid;
  }

  #validate(value: unknown) {
    try {
      return this.#validator.validate(rounded(value));
    } catch (error) {
      if (error instanceof Error) throw new FormError(`the value cannot be checked: ${error.message.slice(0, 400)}`);
      throw error;
    }
  }

  #told(violation: Violation): ValueFault[] {
    const { keyword, at } = violation;
    switch (keyword) {
      case "required":
      case "dependentRequired":
        return [this.#fault(violation, `${at}/${escaped(named(violation))}`, "required")];
      case "false":
        return [this.#fault(violation, at, "falseSchema")];
      case "minContains":
      case "maxContains":
        return [this.#fault(violation, at, "contains")];
      case "additionalProperties":
        return this.#additional(violation);
      case "unevaluatedProperties":
        return this.#unevaluated(violation);
      case "propertyNames":
        return [this.#fault(violation, at, violation.inside[0]?.keyword === "false" ? "falseSchema" : keyword)];
      case "anyOf":
      case "oneOf": {
        const meant = meantOf(violation);
        return meant
          ? meant
              .slice(0, MANY)
              .flatMap((each) => this.#told(each))
              .slice(0, MANY)
          : [this.#fault(violation)];
      }
      case "not":
      case "contains":
      case "unevaluatedItems":
        return [this.#fault(violation)];
      default:
        return AROUND.has(keyword) ? violation.inside.flatMap((each) => this.#told(each)) : [this.#fault(violation)];
    }
  }

  /** A field that is not allowed; of an object that may have none, the server does not say which. */
  #additional(violation: Violation): ValueFault[] {
    const [first] = violation.inside;
    if (first?.keyword !== "false") return violation.inside.flatMap((each) => this.#told(each));
    const around = this.#schemaOf(violation.said);
    if (isObject(around) && ("properties" in around || "patternProperties" in around)) {
      return [this.#fault(violation, first.at, "additionalProperties")];
    }
    return [{ path: violation.at, keyword: "additionalProperties", message: sentence("noFields", around) }];
  }

  /** What its own object's keywords look at is evaluated, whether or not it is right. */
  #unevaluated(violation: Violation): ValueFault[] {
    const path = violation.inside[0]?.at ?? violation.at;
    const name = pointerSteps(path).at(-1) ?? "";
    const around = this.#schemaOf(violation.said);
    return isLookedAt(around, name) ? [] : [this.#fault(violation, path)];
  }

  #fault({ at, said, keyword }: Violation, path = at, shown = keyword): ValueFault {
    return { path, keyword: shown, message: sentence(shown, this.#schemaOf(said)) };
  }

  /** The schema that a keyword, named by its place, stands in. */
  #schemaOf(said: string): unknown {
    let found: unknown = this.schema;
    for (const step of said.split("/").slice(1, -1)) {
      const name = decoded(step);
      if (name === "$ref" && isObject(found) && typeof found.$ref === "string")
        found = targetOrNull(this.schema, found.$ref);
      else found = isObject(found) || Array.isArray(found) ? (found as JsonObject)[name] : undefined;
    }
    return found;
  }
}

function isLookedAt(schema: unknown, name: string): boolean {
  if (!isObject(schema)) return false;
  if (isObject(schema.properties) && Object.hasOwn(schema.properties, name)) return true;
  const patterns = isObject(schema.patternProperties) ? Object.keys(schema.patternProperties) : [];
  return patterns.some((pattern) => new RegExp(pattern, "u").test(name));
}

/** The flat list as a tree: what belongs to a keyword that holds schemas follows it, and stands further in. */
function gathered(errors: readonly OutputUnit[]): Violation[] {
  const waiting = [...errors].reverse();
  const found: Violation[] = [];
  while (waiting.length > 0) found.push(next(waiting));
  return once(found);
}

function next(waiting: OutputUnit[]): Violation {
  const { keyword, keywordLocation: said, instanceLocation, error: words } = waiting.pop() as OutputUnit;
  const inside: Violation[] = [];
  if (AROUND.has(keyword)) {
    const around = said.slice(0, said.lastIndexOf("/") + 1);
    const begins = keyword === "if" ? [`${around}then/`, `${around}else/`] : [`${said}/`];
    for (let last = waiting.at(-1); last; last = waiting.at(-1)) {
      // The library does not say where a `false` stands, only where in the value.
      const { keyword: name, keywordLocation } = last;
      if (name !== "false" && !begins.some((begin) => keywordLocation.startsWith(begin))) break;
      inside.push(next(waiting));
    }
  }
  return { keyword, said, at: decoded(instanceLocation.slice(1)), words, inside };
}

/** Of an object that may have no fields at all and has several, and of names that are not allowed, one is enough. */
function once(found: Violation[]): Violation[] {
  const seen = new Set<string>();
  return found.filter((each) => {
    const whole =
      each.keyword === "unevaluatedItems" || (each.keyword === "propertyNames" && each.inside[0]?.keyword === "false");
    const key = `${each.said} ${each.at}`;
    if (whole && seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** The faults of the only alternative that fails neither as a whole nor by its mark (`kind: const`), if there is one. */
function meantOf(violation: Violation): readonly Violation[] | null {
  const alternatives = new Map<string, Violation[]>();
  for (const each of violation.inside) {
    const number = each.said.slice(violation.said.length + 1).split("/")[0] ?? "";
    alternatives.set(number, [...(alternatives.get(number) ?? []), ...leaves(each)]);
  }
  const depth = steps(violation.at);
  const fitting = [...alternatives.values()].filter((faults) => !faults.some((each) => isMark(each, depth)));
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

function isMark({ keyword, at }: Violation, depth: number): boolean {
  if (keyword === "false") return false;
  return (
    (keyword === "type" && steps(at) === depth) ||
    ((keyword === "const" || keyword === "enum") && steps(at) <= depth + 1)
  );
}

/** What the server's library lists one by one: what is inside a keyword that only leads on. */
function leaves(violation: Violation): Violation[] {
  const leadsOn = AROUND.has(violation.keyword) && !ENDS.has(violation.keyword);
  if (violation.keyword === "additionalProperties" && violation.inside[0]?.keyword === "false") return [violation];
  return leadsOn ? violation.inside.flatMap(leaves) : [violation];
}

const ENDS = new Set(["anyOf", "oneOf", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems"]);

function steps(path: string): number {
  return path.split("/").length - 1;
}

/** The field that the library's words name, in quotes. */
function named({ words, keyword }: Violation): string {
  const [before, after] =
    keyword === "required" ? ['Instance does not have required property "', '".'] : ['" but does not have "', '".'];
  return words.slice(words.indexOf(before) + before.length, -after.length);
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function decoded(location: string): string {
  return decodeURIComponent(location);
}

/** The library knows no `bigint`: whole numbers beyond 2^53 are checked as the nearest double. */
function rounded(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) {
    const copy = value.map(rounded);
    return copy.some((each, index) => each !== value[index]) ? copy : value;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, each]): [string, unknown] => [name, rounded(each)]);
  return entries.some(([name, each]) => each !== value[name]) ? Object.fromEntries(entries) : value;
}
