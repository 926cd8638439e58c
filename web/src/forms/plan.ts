/**
 * What a form's conditions say, place by place: the UI schema read against the schema of the value.
 *
 *     {fields: {kind: {}, until: {show_if: "$.kind == 'temporary'"}, items: {fields: {price: {required_if: "@.sold"}}}}}
 *
 *     Place ─► Field until (show)
 *           └► Field items ─► Place ─► element ─► Place ─► Field price (require)
 *
 * Fields of a field stand in its own `fields`; those of a list's elements in its `fields` or in `items.fields`. `a.b` and `a[].b`
 * as names mean the same. `ui:fields` is `fields`.
 */
import { Condition } from "./conditions";
import { escapeStep, FormError, type Message, type Report, type SpecPath } from "./faults";
import { isObject, type JsonObject } from "./nodes";
import { parts, type Schema } from "./schemas";

const MOST_FIELDS = 1_000;
/** Places inside one another. */
const DEEPEST = 16;

/** A member's name, or null for each element of a list. */
export type Step = string | null;
/** Where a field is, alike for every element. */
export type Template = readonly Step[];

/** A member of an object that a condition, or one further in, speaks of. */
export interface Field {
  readonly name: string;
  /** As it stands in a JSON pointer. */
  readonly step: string;
  /** Where the UI schema speaks of it. */
  readonly said: SpecPath;
  readonly show: Condition | null;
  readonly require: Condition | null;
  readonly disable: Condition | null;
  /** By the schema, as long as it is shown. */
  readonly required: boolean;
  readonly place: Place | null;
  /** When it is decided whether it is shown: after every field that its condition looks at. */
  readonly stage: number;
}

/** The members of an object, the elements of a list, or both where the schema leaves it open. */
export interface Place {
  readonly fields: readonly Field[];
  readonly element: Place | null;
}

const FIELDS = ["fields", "ui:fields"] as const;
const ELEMENTS = ["items", "ui:items"] as const;

/** null when nothing is conditional. What cannot be used is reported and left out. */
export function readPlan(schema: unknown, ui: JsonObject, report: Report): Place | null {
  const reader = new Reader(schema, report);
  return reader.place(reader.saidInside(ui, [], reader.holdsAt([schema])), [schema], 0);
}

/** Every field and where it is; a field before those inside it. */
export function* templates(place: Place, at: Template = []): Generator<[Template, Field]> {
  for (const each of place.fields) {
    const here = [...at, each.name];
    yield [here, each];
    if (each.place) yield* templates(each.place, here);
  }
  if (place.element) yield* templates(place.element, [...at, null]);
}

/** The plan with those fields alone, and those around them, which then have no conditions of their own. */
export function narrowed(place: Place, kept: (field: Field) => boolean): Place {
  const fields = place.fields.flatMap((each): Field[] => {
    const inside = each.place && notEmpty(narrowed(each.place, kept));
    if (kept(each)) return [{ ...each, place: inside }];
    return inside
      ? [{ ...each, show: null, require: null, disable: null, required: false, place: inside, stage: 0 }]
      : [];
  });
  return { fields, element: place.element && notEmpty(narrowed(place.element, kept)) };
}

function notEmpty(place: Place): Place | null {
  return place.fields.length > 0 || place.element ? place : null;
}

/** What the UI schema says of one field, at a path from the place where it is said. */
interface Said {
  readonly steps: Template;
  readonly spec: JsonObject;
  readonly path: SpecPath;
}

const UNREADABLE = "无法读取的条件：请写成 $.a == 'x' 这样的比较，用 && 和 || 连接";
const TOO_DEEP: Message = {
  en: `fields are nested more than ${DEEPEST} deep`,
  zh: `字段嵌套超过 ${DEEPEST} 层`,
};
const TOO_MANY: Message = {
  en: `more than ${MOST_FIELDS} fields have conditions`,
  zh: `带条件的字段超过 ${MOST_FIELDS} 个`,
};

class Reader {
  #fields = 0;
  constructor(
    private readonly root: unknown,
    private readonly report: Report,
  ) {}

  /** Every schema that a value must fit where `schemas` hold. */
  holdsAt(schemas: readonly unknown[]): Schema[] {
    return schemas.flatMap((schema) => [...parts(this.root, schema)]);
  }

  /** What `spec` says of the fields inside the value that it is about. */
  saidInside(spec: JsonObject, path: SpecPath, held: readonly Schema[]): Said[] {
    const names = new Set(held.flatMap((part) => Object.keys(members(part))));
    const prefix: Template = isList(held) ? [null] : [];
    const found = fieldsOf(spec).map(
      ({ key, name, inner }): Said => ({
        steps: [...prefix, ...(names.has(name) ? [name] : stepsOf(name))],
        spec: inner,
        path: [...path, key, name],
      }),
    );
    for (const key of ELEMENTS) {
      const elements = spec[key];
      if (!isObject(elements)) continue;
      for (const { key: innerKey, name, inner } of fieldsOf(elements)) {
        found.push({ steps: [null, ...stepsOf(name)], spec: inner, path: [...path, key, innerKey, name] });
      }
    }
    return found;
  }

  place(said: readonly Said[], schemas: readonly unknown[], depth: number): Place | null {
    const [first] = said;
    if (!first) return null;
    if (depth >= DEEPEST) {
      this.report(first.path, TOO_DEEP);
      return null;
    }
    const held = this.holdsAt(schemas);
    const groups = new Map<Step, Said[]>();
    for (const { steps, spec, path } of said) {
      const [step, ...rest] = steps;
      if (step === undefined) continue;
      const group = groups.get(step) ?? [];
      group.push({ steps: rest, spec, path });
      groups.set(step, group);
    }
    const element = this.place(groups.get(null) ?? [], elementsOf(held), depth + 1);
    const fields = [...groups].flatMap(([name, group]) => {
      const field = name === null ? null : this.#field(name, group, held, depth);
      return field ? [field] : [];
    });
    return fields.length > 0 || element ? { fields, element } : null;
  }

  #field(name: string, said: readonly Said[], held: readonly Schema[], depth: number): Field | null {
    const schemas = held.flatMap((part) => (Object.hasOwn(members(part), name) ? [members(part)[name]] : []));
    const own = said.filter((each) => each.steps.length === 0);
    const inside = said.filter((each) => each.steps.length > 0);
    const heldInside = this.holdsAt(schemas);
    for (const each of own) inside.push(...this.saidInside(each.spec, each.path, heldInside));
    const show = this.#condition(own, "show_if");
    const require = this.#condition(own, "required_if");
    const disable = this.#condition(own, "disabled_if");
    const place = this.place(inside, schemas, depth + 1);
    if (!show && !require && !disable && !place) return null;
    const path = said[0]?.path ?? [];
    this.#fields += 1;
    if (this.#fields === MOST_FIELDS + 1) this.report(path, TOO_MANY);
    const required = held.some((part) => Array.isArray(part.required) && part.required.includes(name));
    return { name, step: `/${escapeStep(name)}`, said: path, show, require, disable, required, place, stage: 0 };
  }

  #condition(said: readonly Said[], key: string): Condition | null {
    for (const { spec, path } of said) {
      for (const spelling of [key, `ui:${key}`]) {
        const text = Object.hasOwn(spec, spelling) ? spec[spelling] : null;
        if (text === null || text === "") continue;
        try {
          return Condition.read(text);
        } catch (error) {
          if (!(error instanceof FormError)) throw error;
          this.report([...path, spelling], { en: error.message, zh: UNREADABLE });
        }
      }
    }
    return null;
  }
}

export function fieldsOf(spec: JsonObject): { key: string; name: string; inner: JsonObject }[] {
  return FIELDS.flatMap((key) => {
    const fields = spec[key];
    if (!isObject(fields)) return [];
    return Object.entries(fields).flatMap(([name, inner]) => (isObject(inner) ? [{ key, name, inner }] : []));
  });
}

/** `items[].price` as (items, null, price). */
function stepsOf(name: string): Template {
  const steps: Step[] = [];
  for (const part of name.split(".")) {
    const bare = part.replace(/[[\]]+$/, "");
    if (bare) steps.push(bare);
    const elements = part.slice(bare.length).match(/\[\]/g) ?? [];
    for (const _ of elements) steps.push(null);
  }
  return steps.length > 0 ? steps : [name];
}

function members(part: Schema): JsonObject {
  return isObject(part.properties) ? part.properties : {};
}

function elementsOf(held: readonly Schema[]): unknown[] {
  return [
    ...held.flatMap((part) => ("items" in part ? [part.items] : [])),
    ...held.flatMap((part) => (Array.isArray(part.prefixItems) ? part.prefixItems : [])),
  ];
}

function isList(held: readonly Schema[]): boolean {
  return held.some((part) => "items" in part || "prefixItems" in part || part.type === "array");
}
