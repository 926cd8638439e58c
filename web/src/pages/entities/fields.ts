import { isObject } from "#/forms/nodes";
import type { Language } from "#/i18n/language";
import { type Bilingual, inLanguage } from "#/i18n/texts";
import { fieldSpecs, words } from "#/schema-form/look";
import { shapeOf } from "#/schema-form/shape";
import { type FieldSpec, plainField, readFields } from "#/views/fields";
import type { Entity } from "./queries";

type Json = Readonly<Record<string, unknown>>;

/** Rows that are looked at for the names of their members. */
const LOOKED_AT = 100;

/** The columns of a table of things: the entity's own, else its schema's properties, else what the rows have. */
export function columnsOf(entity: Entity, rows: readonly Json[]): readonly FieldSpec[] {
  const told = readFields((entity.ui as Json).columns);
  if (told.length) return told;
  const named = Object.keys(propertiesOf(entity));
  const there = new Set(rows.slice(0, LOOKED_AT).flatMap((row) => Object.keys(row)));
  const names = named.length ? named.filter((name) => there.size === 0 || there.has(name)) : [...there];
  return names.map(plainField);
}

/** What a field is called: by its column, by the entity's `ui.fields` as forms have them, by the schema, else by its key. */
export function titleOf(entity: Entity, { key, label }: FieldSpec, language: Language): string {
  const own = label === key ? "" : inLanguage(label as Bilingual | string, language);
  return own || fromForm(entity, key, language) || fromSchema(entity, key, language) || readable(key);
}

function fromForm(entity: Entity, key: string, language: Language): string {
  const spec = fieldSpecs(entity.ui).get(key) ?? {};
  return words(spec.label ?? spec["ui:label"] ?? spec.title, language);
}

function fromSchema(entity: Entity, key: string, language: Language): string {
  const properties = propertiesOf(entity);
  if (!isObject(entity.schema) || !Object.hasOwn(properties, key)) return "";
  return words(shapeOf(entity.schema, properties[key]).schema.title, language);
}

function propertiesOf(entity: Entity): Json {
  const properties = isObject(entity.schema) && Object.hasOwn(entity.schema, "properties") && entity.schema.properties;
  return isObject(properties) ? properties : {};
}

/** `last_login` and `lastLogin` as people write it: Last login. Names that are no such keys stay as they are. */
export function readable(key: string): string {
  if (!/^[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*$/.test(key)) return key;
  const spaced = key
    .replace(/[_-]/g, " ")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(" ")
    .map((word) => (INITIALS.has(word.toLowerCase()) ? word.toUpperCase() : lowered(word)))
    .join(" ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

const INITIALS: ReadonlySet<string> = new Set(["id", "ip", "url", "vip"]);

/** Words of capitals are initials, and stay so. */
function lowered(word: string): string {
  return /^[A-Z][a-z]/.test(word) ? word.toLowerCase() : word;
}
