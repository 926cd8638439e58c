import type { Language } from "#/i18n/language";
import { type Bilingual, inLanguage } from "#/i18n/texts";
import { isObject, textOf } from "./spec";

/** A field or column as `options` describe it. */
export interface FieldSpec {
  readonly key: string;
  readonly label: Bilingual | string;
  readonly format: string;
  readonly align: string;
  readonly width: number | undefined;
  readonly hidden: boolean;
  /** What values are called: `{"1": {"en": "Sword", "zh": "剑"}}`. */
  readonly names: Readonly<Record<string, unknown>> | null;
}

const KEYS = ["key", "field", "path", "dataIndex", "name", "id"] as const;
const LABELS = ["label", "title", "header"] as const;
const NARROWEST = 40;
const WIDEST = 1_000;

/** `options.columns` or `options.fields`: names, or objects in any of the spellings there are. */
export function readFields(given: unknown): readonly FieldSpec[] {
  if (!Array.isArray(given)) return [];
  return given.flatMap((each: unknown) => {
    const spec = isObject(each) ? each : { key: each };
    const key = KEYS.map((name) => textOf((spec as Record<string, unknown>)[name])).find(Boolean);
    return key ? [readField(key, spec)] : [];
  });
}

function readField(key: string, spec: Readonly<Record<string, unknown>>): FieldSpec {
  const label = LABELS.map((name) => spec[name]).find(Boolean);
  return {
    key,
    label: isObject(label) ? (label as Bilingual) : textOf(label, key),
    format: textOf(spec.format, textOf(spec.type)),
    align: textOf(spec.align),
    width: typeof spec.width === "number" ? Math.min(WIDEST, Math.max(NARROWEST, spec.width)) : undefined,
    hidden: spec.hidden === true,
    names: isObject(spec.enum_map) ? spec.enum_map : isObject(spec.enum) ? spec.enum : null,
  };
}

/** What a field is called: by its view, else as `nameOf` knows it. */
export function labelOf({ key, label }: FieldSpec, language: Language, nameOf: (key: string) => string): string {
  return label === key ? nameOf(key) : inLanguage(label, language, key);
}

export function plainField(key: string): FieldSpec {
  return { key, label: key, format: "", align: "", width: undefined, hidden: false, names: null };
}
