import "./facts.css";
import { Anchor, Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type Bilingual, inLanguage, useLanguage, useLocale, useTexts } from "#/i18n/texts";
import { readFields } from "./fields";
import { inline, safeAddress } from "./format";
import { Address, KeyValue } from "./KeyValue";
import { Mismatch } from "./Mismatch";
import { isObject, type Json, type RendererProps, textOf } from "./spec";
import { listOf } from "./TableView";
import { viewTexts } from "./texts";

export function KvView({ value, options }: RendererProps) {
  return <KeyValue value={value} fields={readFields(options.fields ?? options.columns)} />;
}

interface Tile {
  readonly label: string;
  readonly value: unknown;
  readonly unit: string;
}

/** One number large, or a row of them: `{value, label, unit}`, a list of those, or an object of numbers. */
export function NumberView({ value, options, label }: RendererProps) {
  const language = useLanguage();
  const locale = useLocale();
  const text = useTexts(viewTexts);
  const unit = inLanguage(options.unit as Bilingual, language);
  const tiles = tilesOf(value, label, unit, (said, other) => inLanguage(said as Bilingual, language, other));
  if (tiles.length === 0) return <Mismatch message={text.notNumbers} value={value} />;
  const digits =
    typeof options.precision === "number" ? Math.min(20, Math.max(0, Math.round(options.precision))) : undefined;
  const shown = (each: unknown) =>
    typeof each === "number" || typeof each === "bigint"
      ? new Intl.NumberFormat(
          locale,
          digits === undefined
            ? { maximumFractionDigits: 6 }
            : { minimumFractionDigits: digits, maximumFractionDigits: digits },
        ).format(each)
      : inline(each).slice(0, 60) || "—";
  return (
    <Group gap="sm">
      {tiles.map((tile, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two numbers may go by the same name
        <div key={place} className="number-tile">
          <div className="number-value">
            {shown(tile.value)} {tile.unit && <span className="number-unit">{tile.unit}</span>}
          </div>
          <Text c="dimmed">{tile.label}</Text>
        </div>
      ))}
    </Group>
  );
}

const MOST_TILES = 24;

function tilesOf(
  value: unknown,
  label: string,
  unit: string,
  say: (text: unknown, other: string) => string,
): readonly Tile[] {
  if (Array.isArray(value))
    return value
      .slice(0, MOST_TILES)
      .flatMap((each) => (isObject(each) ? [tile(each, label, unit, say)] : tilesOf(each, label, unit, say)));
  if (isObject(value) && "value" in value) return [tile(value, label, unit, say)];
  if (isObject(value)) {
    const numbers = Object.entries(value).filter(([, each]) => typeof each === "number" || typeof each === "bigint");
    return numbers.slice(0, MOST_TILES).map(([name, each]) => ({ label: name, value: each, unit }));
  }
  return [{ label, value, unit }];
}

function tile(value: Json, label: string, unit: string, say: (text: unknown, other: string) => string): Tile {
  return {
    label: say(value.label ?? value.name ?? value.title, label),
    value: value.value,
    unit: say(value.unit, unit),
  };
}

const IMAGE = /^data:image\/(png|jpeg|gif|webp|avif|svg\+xml|bmp)[;,]/i;
const BASE64 = /^[A-Za-z0-9+/=\s]{40,}$/;

/** A picture that the answer carries, or one of this server. The page loads nothing from elsewhere; such addresses are shown as links. */
export function ImageView({ value, options, label }: RendererProps) {
  const text = useTexts(viewTexts);
  const said = isObject(value) ? (value.src ?? value.url ?? value.base64 ?? value.data) : value;
  const alt = isObject(value) ? textOf(value.alt, label) : label;
  const source = imageSource(said, textOf(isObject(value) ? value.mime : options.mime, "image/png"));
  if (source) return <img src={source} alt={alt} style={{ maxWidth: "100%", maxHeight: 600, objectFit: "contain" }} />;
  if (safeAddress(said)) {
    return (
      <Stack gap={2}>
        <Text c="dimmed">{text.elsewhere}</Text>
        <Address address={said} />
      </Stack>
    );
  }
  return <Mismatch message={text.notAnImage} value={value} />;
}

export function imageSource(said: unknown, mime: string): string | null {
  if (typeof said !== "string" || !said) return null;
  if (IMAGE.test(said)) return said;
  const origin = globalThis.location.origin;
  if (said.startsWith("/") && URL.canParse(said, origin) && new URL(said, origin).origin === origin) return said;
  if (BASE64.test(said) && /^image\/[a-z+.-]+$/i.test(mime)) return `data:${mime};base64,${said}`;
  return null;
}

const MOST_LINKS = 500;

export function LinkView({ value }: RendererProps) {
  const text = useTexts(viewTexts);
  const list = isObject(value) && hrefOf(value) ? [value] : typeof value === "string" ? [value] : listOf(value);
  if (list === null) return <Mismatch message={text.notAList} value={value} />;
  return (
    <ul style={{ margin: 0, paddingInlineStart: 18 }}>
      {list.slice(0, MOST_LINKS).map((each, place) => {
        const href = isObject(each) ? hrefOf(each) : inline(each);
        const name = isObject(each) ? textOf(each.text, textOf(each.title, textOf(each.name, textOf(each.label)))) : "";
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: an answer may have the same link twice
          <li key={place} style={{ overflowWrap: "anywhere" }}>
            <Address address={href}>{name}</Address>
          </li>
        );
      })}
    </ul>
  );
}

function hrefOf(value: Json): string {
  return textOf(value.href, textOf(value.url, textOf(value.link)));
}

/** What the answer says of one thing, and the way to its page. */
export function EntityView({ value, options }: RendererProps) {
  const type = textOf(
    options.entity,
    textOf(options.type, isObject(value) ? textOf(value.entity, textOf(value.type)) : ""),
  );
  const key = textOf(options.key, "id");
  const id = isObject(value) ? (value[key] ?? value[`${type}_id`] ?? value.id) : value;
  const known = type && (typeof id === "string" || typeof id === "number");
  return (
    <Stack gap={4}>
      {known && (
        <Anchor component={Link} to={`/entities/${encodeURIComponent(type)}/${encodeURIComponent(id)}`}>
          {type} {String(id).slice(0, 200)} →
        </Anchor>
      )}
      {isObject(value) && <KeyValue value={value} fields={readFields(options.fields)} />}
    </Stack>
  );
}
