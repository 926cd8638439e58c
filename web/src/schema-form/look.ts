/** How a field looks: what a UI schema and the schema itself say of it, in every spelling. */
import { isObject, type JsonObject } from "#/forms/nodes";
import type { Language } from "#/i18n/language";
import { inLanguage } from "#/i18n/texts";
import type { Choice, Shape } from "./shape";

export interface LabelledChoice {
  readonly value: unknown;
  readonly label: string;
}

/** Where the options of a field come from: a query function of the same game. */
export interface OptionsSource {
  readonly function: string;
  /** A text that begins with `$` is a path into the form's value. */
  readonly arguments: JsonObject;
  /** JSONPath to the list in the answer. */
  readonly items: string;
  /** Members of its elements; "" for elements that are the values themselves. */
  readonly value: string;
  readonly label: string;
}

export interface Look {
  readonly label: string;
  readonly description: string;
  readonly placeholder: string;
  readonly widget: string;
  readonly sensitive: boolean;
  readonly readOnly: boolean;
  readonly unit: string;
  readonly rows: number;
  /** Columns of the grid; 0 for what fits the field. */
  readonly span: number;
  readonly choices: readonly LabelledChoice[];
  readonly source: OptionsSource | null;
  readonly fallback: unknown;
}

const WIDGETS: Record<string, string> = {
  "text-area": "textarea",
  multiline: "textarea",
  longtext: "textarea",
  secret: "password",
  dropdown: "select",
  combobox: "select",
  radios: "radio",
  radiogroup: "radio",
  buttons: "segmented",
  toggle: "switch",
  bool: "switch",
  boolean: "switch",
  checkboxes: "multiselect",
  "multi-select": "multiselect",
  datetime: "date-time",
  "datetime-local": "date-time",
  datepicker: "date",
  timepicker: "time",
  chips: "tags",
  slider: "range",
  "code.json": "json",
  editor: "code",
  monaco: "code",
  uri: "text",
  input: "text",
};

/** `label` and `ui:label` mean the same. */
function said(spec: JsonObject, ...names: string[]): unknown {
  for (const name of names) {
    for (const spelling of [name, `ui:${name}`]) {
      if (Object.hasOwn(spec, spelling) && spec[spelling] !== null && spec[spelling] !== "") return spec[spelling];
    }
  }
  return undefined;
}

/** A text, or one per language under any of the names that languages go by. */
export function words(value: unknown, language: Language): string {
  if (typeof value === "string") return value;
  if (!isObject(value)) return "";
  const by = (begin: string) =>
    Object.entries(value).find(([name]) => name.toLowerCase().split(/[-_]/)[0] === begin)?.[1];
  const text = (each: unknown) => (typeof each === "string" ? each : null);
  return inLanguage({ en: text(by("en")), zh: text(by("zh")) }, language);
}

export function lookOf(name: string, spec: JsonObject, shape: Shape, language: Language): Look {
  const { schema } = shape;
  const widget = String(said(spec, "widget") ?? "").toLowerCase();
  const known = WIDGETS[widget] ?? widget;
  return {
    label: words(said(spec, "label", "title") ?? schema.title, language) || name,
    description: words(said(spec, "description", "help", "tooltip") ?? schema.description, language),
    placeholder: words(said(spec, "placeholder"), language),
    widget: known,
    sensitive:
      said(spec, "sensitive") === true ||
      known === "password" ||
      schema.writeOnly === true ||
      schema.format === "password",
    readOnly: schema.readOnly === true || said(spec, "readonly", "readOnly", "disabled") === true,
    unit: words(said(spec, "unit", "suffix"), language),
    rows: asCount(said(spec, "rows"), 0, 60),
    span: asCount(said(spec, "span", "cols", "colSpan"), 0, 24),
    choices: choicesOf(spec, shape, language),
    source: sourceOf(said(spec, "options_from", "optionsFrom", "data_source", "dataSource")),
    fallback: said(spec, "default") ?? schema.default,
  };
}

function asCount(value: unknown, least: number, most: number): number {
  return typeof value === "number" && Number.isFinite(value)
    ? Math.min(Math.max(Math.trunc(value), least), most)
    : least;
}

function choicesOf(spec: JsonObject, shape: Shape, language: Language): readonly LabelledChoice[] {
  const given = said(spec, "options", "enum", "choices");
  const listed: readonly Choice[] =
    Array.isArray(given) && shape.choices.length === 0 ? given.map(asChoice) : shape.choices;
  const labels =
    said(spec, "x-enum-labels", "enum_map", "enumMap", "enum_labels", "enumLabels", "enumNames", "enum_names") ??
    shape.schema["x-enum-labels"] ??
    shape.schema["x-enumNames"] ??
    shape.schema.enumNames;
  return listed.map(({ value, title }, index) => ({
    value,
    label: labelFor(labels, value, index, language) || words(title, language) || shownConstant(value),
  }));
}

function asChoice(given: unknown): Choice {
  if (!isObject(given) || !("value" in given)) return { value: given };
  return { value: given.value, title: (given.label ?? given.title ?? given.name) as string };
}

function labelFor(labels: unknown, value: unknown, index: number, language: Language): string {
  if (Array.isArray(labels)) return words(labels[index], language);
  const key = shownConstant(value);
  return isObject(labels) && Object.hasOwn(labels, key) ? words(labels[key], language) : "";
}

export function shownConstant(value: unknown): string {
  return typeof value === "string"
    ? value
    : (JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each)) ?? "");
}

function sourceOf(given: unknown): OptionsSource | null {
  const spec = typeof given === "string" ? { function: given } : given;
  if (!isObject(spec)) return null;
  const text = (...names: string[]) => {
    const found = names.map((name) => spec[name]).find((each) => typeof each === "string");
    return typeof found === "string" ? found : "";
  };
  const id = text("function", "function_id", "functionId", "fn");
  if (!id) return null;
  const given_arguments = spec.arguments ?? spec.payload ?? spec.params;
  return {
    function: id,
    arguments: isObject(given_arguments) ? given_arguments : {},
    items: text("items", "path", "expr"),
    value: text("value", "value_field", "valueField"),
    label: text("label", "label_field", "labelField"),
  };
}

const kept = new WeakMap<object, ReadonlyMap<string, JsonObject>>();

/** What a UI schema says of each field in an object: `a.b` and `a[].b` are put under `a`. */
export function fieldSpecs(spec: JsonObject): ReadonlyMap<string, JsonObject> {
  const known = kept.get(spec);
  if (known) return known;
  const found = new Map<string, JsonObject>();
  for (const fields of [spec.fields, spec["ui:fields"]]) {
    if (!isObject(fields)) continue;
    for (const [name, inner] of Object.entries(fields)) if (isObject(inner)) put(found, name, inner);
  }
  kept.set(spec, found);
  return found;
}

function put(found: Map<string, JsonObject>, name: string, inner: JsonObject): void {
  found.set(name, { ...found.get(name), ...inner });
  const [first = "", ...rest] = name.split(".");
  const bare = first.replace(/(\[\])+$/, "");
  if (bare === name || !bare) return;
  const before = found.get(bare) ?? {};
  const fields = isObject(before.fields) ? before.fields : {};
  if (rest.length > 0) found.set(bare, { ...before, fields: { ...fields, [rest.join(".")]: inner } });
  else found.set(bare, { ...before, items: { ...(isObject(before.items) && before.items), ...inner } });
}

/** What a UI schema says of each element of a list. */
export function elementSpec(spec: JsonObject): JsonObject {
  const items = isObject(spec.items) ? spec.items : isObject(spec["ui:items"]) ? spec["ui:items"] : {};
  const key = `${"fields" in spec || "ui:fields" in spec}`;
  return key === "true" ? elementsWithFields(spec, items) : items;
}

const elements = new WeakMap<object, JsonObject>();

function elementsWithFields(spec: JsonObject, items: JsonObject): JsonObject {
  const known = elements.get(spec);
  if (known) return known;
  const fields = { ...Object.fromEntries(fieldSpecs(spec)), ...Object.fromEntries(fieldSpecs(items)) };
  const found = { ...items, fields };
  elements.set(spec, found);
  return found;
}

export interface FieldGroup {
  readonly title: string;
  readonly description: string;
  readonly fields: readonly string[];
}

export interface Arrangement {
  readonly tabs: boolean;
  /** 0 for as many as there is room for. */
  readonly columns: number;
  readonly groups: readonly FieldGroup[];
}

export function arrangementOf(spec: JsonObject, language: Language): Arrangement {
  const layout = said(spec, "layout");
  const { type, cols, columns } = isObject(layout) ? layout : { type: layout };
  const groups = said(spec, "groups");
  return {
    tabs: type === "tabs",
    columns: type === "stack" ? 1 : asCount(cols ?? columns, 0, 24),
    groups: (Array.isArray(groups) ? groups : []).filter(isObject).map((group) => ({
      title: words(said(group, "title", "label", "name"), language),
      description: words(said(group, "description"), language),
      fields: (Array.isArray(group.fields) ? group.fields : []).filter(
        (each): each is string => typeof each === "string",
      ),
    })),
  };
}
