/** The schema of a form, changed at the places that conditions speak of; what it shares by `$ref` is copied first. */
import { FaultyForm, FormError } from "./faults";
import { isObject, type JsonObject } from "./nodes";
import { type Field, type Place, templates } from "./plan";
import { inlined, type Schema } from "./schemas";

const UNREACHABLE = "无法沿 $ref 找到带条件的字段：请写成 #/…，且所指处不含 $id";

/** Takes an object's schema, one of its fields and where that is. */
type Change = (schema: Schema, field: Field, at: string) => Schema;

/** `schema`, but no field with `show_if` is required: whether it is, a value's own state tells. Throws FaultyForm. */
export function relaxed(schema: Schema, place: Place): Schema {
  const relax: Change = (found, each) => (each.show ? notRequired(found, each.name) : found);
  return new Rewriting(schema, relax, null).at(schema, place, "", undefined) as Schema;
}

/**
 * `schema` for `value`: hidden fields are gone from it, those of `required` are required.
 * Elements of a list each have their own, as `prefixItems`.
 */
export function inForce(
  schema: Schema,
  place: Place,
  value: unknown,
  hidden: ReadonlySet<string>,
  required: ReadonlySet<string>,
): Schema {
  const change: Change = (found, each, at) => {
    if (hidden.has(at)) return dropped(found, each.name);
    return required.has(at) && !each.required ? demanded(found, each.name) : found;
  };
  return new Rewriting(schema, change, value).at(schema, place, "", value) as Schema;
}

class Rewriting {
  constructor(
    private readonly root: Schema,
    private readonly change: Change,
    private readonly value: unknown,
  ) {}

  /** `schema`, which holds for `value` at `path`, with the change made to every field of `place`. */
  at(given: unknown, place: Place, path: string, value: unknown): unknown {
    if (!isObject(given)) return given;
    let schema: JsonObject = { ...this.#inlined(given, place) };
    for (const each of place.fields) {
      const at = path + each.step;
      const members = schema.properties;
      if (each.place && isObject(members) && Object.hasOwn(members, each.name)) {
        const inner = isObject(value) && Object.hasOwn(value, each.name) ? value[each.name] : undefined;
        schema.properties = withMember(members, each.name, this.at(members[each.name], each.place, at, inner));
      }
      schema = { ...this.change(schema, each, at) };
    }
    if (place.element) this.#elements(schema, place.element, path, value);
    if (Array.isArray(schema.allOf)) schema.allOf = schema.allOf.map((part) => this.at(part, place, path, value));
    return schema;
  }

  #inlined(schema: Schema, place: Place): Schema {
    try {
      return inlined(this.root, schema);
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      const [first] = templates(place);
      throw new FaultyForm([{ path: first?.[1].said ?? [], message: { en: error.message, zh: UNREACHABLE } }]);
    }
  }

  #elements(schema: JsonObject, place: Place, path: string, value: unknown): void {
    const first: unknown[] = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
    if (this.value === null || this.value === undefined) {
      if (first.length > 0) schema.prefixItems = first.map((each) => this.at(each, place, path, undefined));
      if ("items" in schema) schema.items = this.at(schema.items, place, path, undefined);
      return;
    }
    if (!Array.isArray(value) || value.length === 0 || (first.length === 0 && !("items" in schema))) return;
    const rest = "items" in schema ? schema.items : true;
    const each = value.map((element, index) =>
      this.at(index < first.length ? first[index] : rest, place, `${path}/${index}`, element),
    );
    schema.prefixItems = [...each, ...first.slice(value.length)];
  }
}

/** As `{...members, [name]: schema}`, also for a member called `__proto__`. */
function withMember(members: JsonObject, name: string, schema: unknown): JsonObject {
  return Object.fromEntries(Object.entries(members).map(([key, value]) => [key, key === name ? schema : value]));
}

function notRequired(schema: Schema, name: string): Schema {
  const names = schema.required;
  if (!Array.isArray(names) || !names.includes(name)) return schema;
  return { ...schema, required: names.filter((each) => each !== name) };
}

function demanded(schema: Schema, name: string): Schema {
  const names: unknown[] = Array.isArray(schema.required) ? schema.required : [];
  return names.includes(name) ? schema : { ...schema, required: [...names, name] };
}

function dropped(given: Schema, name: string): Schema {
  const schema = notRequired(given, name);
  const members = schema.properties;
  if (!isObject(members) || !Object.hasOwn(members, name)) return schema;
  return { ...schema, properties: Object.fromEntries(Object.entries(members).filter(([key]) => key !== name)) };
}
