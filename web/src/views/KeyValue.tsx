import { Anchor } from "@mantine/core";
import { commonTexts } from "#/components/texts";
import { type Bilingual, inLanguage, useLanguage, useLocale, useTexts } from "#/i18n/texts";
import { Facts } from "./Facts";
import { useFieldNames } from "./FieldNames";
import { type FieldSpec, labelOf, plainField } from "./fields";
import { formatted, inline, member, safeAddress } from "./format";
import { JsonView } from "./json/JsonView";
import { isObject } from "./spec";
import { LongText } from "./TextView";

interface Props {
  readonly value: unknown;
  readonly fields?: readonly FieldSpec[];
}

const MOST = 500;

/** The members of an object, one a line; only `fields` where they are given. */
export function KeyValue({ value, fields = [] }: Props) {
  const language = useLanguage();
  const nameOf = useFieldNames();
  if (!isObject(value)) return <ShownValue value={value} />;
  const all = fields.length ? fields : Object.keys(value).slice(0, MOST).map(plainField);
  const shown = all.map((field) => ({ field, name: labelOf(field, language, nameOf) }));
  return (
    <Facts
      facts={shown.map(
        ({ field, name }) =>
          [name || " ", <ShownValue key={field.key} value={member(value, field.key)} field={field} />] as const,
      )}
    />
  );
}

/** One value by its field's format: links open, dates are dates, what is large can be opened. */
export function ShownValue({ value, field }: { value: unknown; field?: FieldSpec }) {
  const locale = useLocale();
  const language = useLanguage();
  const text = useTexts(commonTexts);
  const named =
    field?.names && (typeof value === "string" || typeof value === "number") && Object.hasOwn(field.names, value);
  if (named) return <span>{inLanguage(field.names?.[String(value)] as Bilingual, language, String(value))}</span>;
  if (value === null || value === undefined) return <span className="json-null">—</span>;
  if (typeof value === "boolean") return <span>{value ? text.yes : text.no}</span>;
  if (field?.format === "link") return <Address address={value} />;
  if (typeof value === "object")
    return isFlatList(value) ? <span>{value.map(inline).join(", ")}</span> : <JsonView value={value} />;
  const shown = formatted(value, field?.format ?? "", locale);
  if (typeof value === "string" && shown !== value) return <span title={value}>{shown}</span>;
  return <LongText value={shown} mono={field?.format === "code"} />;
}

const FLAT = 20;

function isFlatList(value: object): value is readonly unknown[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= FLAT &&
    value.every((each) => typeof each !== "object" || each === null)
  );
}

/** A link out of this page, or the text when it is nothing that may be opened. */
export function Address({ address, children }: { address: unknown; children?: string }) {
  const safe = safeAddress(address);
  const shown = (children || inline(address)).slice(0, 300);
  if (!safe) return <span>{shown}</span>;
  return (
    <Anchor href={safe} target="_blank" rel="noopener noreferrer">
      {shown}
    </Anchor>
  );
}
