import { Button, MultiSelect, Pagination, TagsInput, Textarea } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconCopy, IconList, IconTags, IconX } from "@tabler/icons-react";
import { memo, useMemo, useState, useSyncExternalStore } from "react";
import { isObject, type JsonObject, same } from "#/forms/nodes";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useForm, useWanted } from "./context";
import { Field } from "./Field";
import { Action, Actions, Faults, type FieldProps, Frame, Required, useControl } from "./Frame";
import { firstOf } from "./first";
import { elementSpec, fieldSpecs, lookOf } from "./look";
import { readNumber, shownNumber } from "./numbers";
import { ABSENT, inside, type Place, valueAt } from "./place";
import { isRequired, membersOf, type Shape, shapeOf } from "./shape";
import type { FormStore } from "./store";
import { formTexts } from "./texts";

const TABLE_PAGE = 50;
const ITEMS_PAGE = 20;
const MOST_COLUMNS = 12;
/** Tags beyond this are edited as lines. */
const MANY_TAGS = 30;

/** A list: choices, short texts, rows of a table, or anything else one below the other. */
export function ListField(field: FieldProps) {
  const { root, readOnly } = useForm();
  const { schema } = field.shape;
  const first = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  const element = shapeOf(root, schema.items);
  if (first.length === 0) {
    if (element.kind === "choice" && !readOnly && (schema.uniqueItems || field.look.widget === "multiselect")) {
      return <ChoicesField field={field} element={element} />;
    }
    if (isPlain(element) && !readOnly) return <PlainListField field={field} element={element} />;
    if (isRow(root, element)) return <Rows field={field} element={element} table />;
  }
  return <Rows field={field} element={element} table={false} />;
}

function isPlain({ kind, nullable, schema }: Shape): boolean {
  const marked = typeof schema.format === "string" && ["date", "date-time", "time"].includes(schema.format);
  return !nullable && !marked && (kind === "text" || kind === "number" || kind === "integer");
}

const IN_A_CELL = new Set(["text", "number", "integer", "boolean", "choice", "constant"]);

function isRow(root: JsonObject, element: Shape): boolean {
  const members = membersOf(element.schema);
  return (
    element.kind === "object" &&
    members.length > 0 &&
    members.length <= MOST_COLUMNS &&
    !isObject(element.schema.additionalProperties) &&
    members.every(([, member]) => IN_A_CELL.has(shapeOf(root, member).kind))
  );
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function ChoicesField({ field, element }: { field: FieldProps; element: Shape }) {
  const { root } = useForm();
  const { props, error, change, onBlur } = useControl(field);
  const text = useTexts(formTexts);
  const language = useLanguage();
  const said = { ...field.spec, ...elementSpec(field.spec) };
  const { choices } = lookOf(field.name, said, shapeOf(root, element.schema), language);
  const value = listOf(field.state.value);
  const indices = value.map((each) => String(choices.findIndex((choice) => same(choice.value, each))));
  return (
    <Frame field={field}>
      <MultiSelect
        {...props}
        size="xs"
        error={error}
        data={choices.map(({ label }, index) => ({ value: String(index), label }))}
        value={indices.filter((index) => index !== "-1")}
        placeholder={value.length > 0 ? "" : text.choose}
        searchable
        limit={300}
        nothingFoundMessage={text.nothingFound}
        onChange={(next) =>
          change(next.length === 0 && !field.required ? ABSENT : next.map((index) => choices[Number(index)]?.value))
        }
        onBlur={onBlur}
      />
      <FaultsInside place={field.place} />
    </Frame>
  );
}

/** Texts or numbers: as tags while they are few, as lines when they are many; ids can be pasted by the hundred. */
function PlainListField({ field, element }: { field: FieldProps; element: Shape }) {
  const { props, error, placeholder, change, onBlur } = useControl(field);
  const text = useTexts(formTexts);
  const value = listOf(field.state.value);
  const [asked, setAsked] = useState<"tags" | "lines" | null>(null);
  const [draft, setDraft] = useState<{ text: string; value: unknown }>({ text: "", value: ABSENT });
  const many =
    value.length > MANY_TAGS || field.look.widget === "textarea" || value.some((each) => String(each).includes("\n"));
  const mode = many ? (asked ?? "lines") : (asked ?? "tags");
  const read = (texts: readonly string[]): unknown => {
    const values = element.kind === "text" ? texts : texts.map((each) => readNumber(each, element.asText));
    return values.length === 0 && !field.required ? ABSENT : values;
  };
  const shown = value.map((each) => (typeof each === "string" ? each : shownNumber(each)));
  const takeLines = (typed: string) => {
    const next = read(
      typed
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter(Boolean),
    );
    setDraft({ text: typed, value: next });
    change(next);
  };
  return (
    <Frame
      field={field}
      wide={mode === "lines"}
      action={<Switcher field={field} mode={mode} count={value.length} go={setAsked} />}
    >
      {mode === "tags" ? (
        <TagsInput
          {...props}
          size="xs"
          error={error}
          placeholder={value.length > 0 ? "" : placeholder}
          value={shown}
          allowDuplicates
          splitChars={[",", ";", "，", "\n", "\t"]}
          onChange={(next) => change(read(next))}
          onBlur={onBlur}
        />
      ) : (
        <Textarea
          {...props}
          size="xs"
          error={error}
          placeholder={text.onePerLine}
          rows={Math.min(Math.max(value.length + 1, 4), 14)}
          resize="vertical"
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          value={draft.value === field.state.value ? draft.text : shown.join("\n")}
          onChange={(event) => takeLines(event.currentTarget.value)}
          onBlur={onBlur}
        />
      )}
      <FaultsInside place={field.place} />
    </Frame>
  );
}

interface SwitcherProps {
  readonly field: FieldProps;
  readonly mode: "tags" | "lines";
  readonly count: number;
  readonly go: (mode: "tags" | "lines") => void;
}

function Switcher({ field, mode, count, go }: SwitcherProps) {
  const text = useTexts(formTexts);
  const other = mode === "tags" ? text.asLines : text.asTags;
  return (
    <>
      {count > 0 && <span className="sf-dimmed">{text.items(count)}</span>}
      <Action label={`${other}: ${field.look.label}`} onClick={() => go(mode === "tags" ? "lines" : "tags")}>
        {mode === "tags" ? <IconList size={12} /> : <IconTags size={12} />}
      </Action>
    </>
  );
}

/** What is wrong with single elements of a list that is edited as one. */
function FaultsInside({ place }: { place: Place }) {
  const { store } = useForm();
  const text = useTexts(formTexts);
  const language = useLanguage();
  const told = useSyncExternalStore(store.subscribe, () =>
    store.faults
      .filter(({ path }) => path.startsWith(`${place.pointer}/`))
      .slice(0, 5)
      .map(({ path, message }) => {
        const number = Number(path.slice(place.pointer.length + 1).split("/")[0]) + 1;
        return `${text.row(number)}: ${inLanguage(message, language)}`;
      })
      .join("; "),
  );
  return told ? <div className="sf-error">{told}</div> : null;
}

interface RowsProps {
  readonly field: FieldProps;
  readonly element: Shape;
  readonly table: boolean;
}

/** Elements in pages: a thousand rows take no longer than fifty. */
function Rows({ field, element, table }: RowsProps) {
  const { place, shape, spec, look, state, required, disabled, bare } = field;
  const { root, store, readOnly } = useForm();
  const text = useTexts(formTexts);
  const value = listOf(state.value);
  const size = table ? TABLE_PAGE : ITEMS_PAGE;
  const pages = Math.max(Math.ceil(value.length / size), 1);
  const [asked, setPage] = useState(0);
  const page = Math.min(asked, pages - 1);
  useWanted(place, (pointer) => {
    const index = Number(pointer.slice(place.pointer.length + 1).split("/")[0]);
    if (Number.isInteger(index)) setPage(Math.floor(index / size));
  });
  const fixed = readOnly || disabled;
  const first = Array.isArray(shape.schema.prefixItems) ? shape.schema.prefixItems : [];
  const open = shape.schema.items !== false || value.length < first.length;
  const schemaAt = (index: number) => (index < first.length ? first[index] : shape.schema.items);
  const inner = elementSpec(spec);
  const add = () => {
    store.change(place, [...value, firstOf(root, schemaAt(value.length), inner)]);
    setPage(Math.floor(value.length / size));
  };
  const indices = Array.from({ length: Math.min(size, value.length - page * size) }, (_, row) => page * size + row);
  const own = useMemo(() => rowActs(store, place), [store, place]);
  const acts = fixed ? null : own;
  const body = table ? (
    <Table
      name={look.label}
      place={place}
      schema={element.schema}
      spec={inner}
      indices={indices}
      acts={acts}
      count={value.length}
    />
  ) : (
    <Items place={place} schemaAt={schemaAt} spec={inner} indices={indices} acts={acts} count={value.length} />
  );
  return (
    <fieldset
      className={bare ? "sf-field" : "sf-field sf-group"}
      data-wide
      style={bare ? { border: 0, padding: 0, margin: 0 } : {}}
    >
      {!bare && (
        <legend>
          <span style={{ display: "flex", alignItems: "baseline", gap: 6 }}>
            {look.label}
            <Required when={required} />
            <span className="sf-dimmed">{value.length > 0 ? text.rows(value.length) : ""}</span>
            {!readOnly && <Actions field={field} />}
          </span>
        </legend>
      )}
      {look.description && !bare && <div className="sf-dimmed sf-description">{look.description}</div>}
      {value.length > 0 && body}
      <div style={{ display: "flex", gap: 10, alignItems: "center", marginTop: value.length > 0 ? 6 : 0 }}>
        {!fixed && open && (
          <Button variant="default" onClick={add} aria-label={`${table ? text.addRow : text.addItem}: ${look.label}`}>
            {table ? text.addRow : text.addItem}
          </Button>
        )}
        {readOnly && value.length === 0 && <span className="sf-dimmed">{text.noRows}</span>}
        {pages > 1 && (
          <Pagination
            size="xs"
            total={pages}
            value={page + 1}
            onChange={(next) => setPage(next - 1)}
            getControlProps={(control) => ({ "aria-label": text.pages[control] })}
          />
        )}
      </div>
      <Faults id={`${place.pointer}-e`} faults={state.faults} />
    </fieldset>
  );
}

interface RowActs {
  readonly remove: (index: number) => void;
  readonly copy: (index: number) => void;
  readonly move: (index: number, by: number) => void;
}

/** The same as long as the list is in its place, so that rows are not drawn again for each letter typed in one. */
function rowActs(store: FormStore, place: Place): RowActs {
  const change = (how: (rows: readonly unknown[]) => unknown[]) =>
    store.change(place, how(listOf(valueAt(store.value, place.path))));
  return {
    remove: (index) => change((rows) => rows.toSpliced(index, 1)),
    copy: (index) => change((rows) => rows.toSpliced(index + 1, 0, structuredClone(rows[index]))),
    move: (index, by) => change((rows) => rows.toSpliced(index, 1).toSpliced(index + by, 0, rows[index])),
  };
}

interface RowButtonsProps {
  readonly index: number;
  readonly last: boolean;
  readonly acts: RowActs;
}

const RowButtons = memo(function RowButtons({ index, last, acts }: RowButtonsProps) {
  const text = useTexts(formTexts);
  const number = index + 1;
  return (
    <span style={{ whiteSpace: "nowrap" }}>
      {index > 0 && (
        <Action label={text.up(number)} onClick={() => acts.move(index, -1)}>
          <IconArrowUp size={12} />
        </Action>
      )}
      {!last && (
        <Action label={text.down(number)} onClick={() => acts.move(index, 1)}>
          <IconArrowDown size={12} />
        </Action>
      )}
      <Action label={text.copyRow(number)} onClick={() => acts.copy(index)}>
        <IconCopy size={12} />
      </Action>
      <Action label={text.remove(number)} onClick={() => acts.remove(index)}>
        <IconX size={12} />
      </Action>
    </span>
  );
});

interface TableProps {
  readonly name: string;
  readonly place: Place;
  readonly schema: JsonObject;
  readonly spec: JsonObject;
  readonly indices: readonly number[];
  readonly acts: RowActs | null;
  readonly count: number;
}

function Table({ name, place, schema, spec, indices, acts, count }: TableProps) {
  const { root } = useForm();
  const text = useTexts(formTexts);
  const language = useLanguage();
  const specs = fieldSpecs(spec);
  const columns = membersOf(schema).map(([member, given]) => {
    const said = specs.get(member) ?? NOTHING_SAID;
    const { label, description } = lookOf(member, said, shapeOf(root, given), language);
    return { member, given, said, label, description, required: isRequired(schema, member) };
  });
  return (
    <div className="sf-table-scroll">
      <table className="sf-table" aria-label={name}>
        <thead>
          <tr>
            <th scope="col">#</th>
            {columns.map(({ member, label, description, required }) => (
              <th key={member} scope="col" title={description || undefined}>
                {label} <Required when={required} />
              </th>
            ))}
            {acts && <td className="sf-acts" aria-hidden />}
          </tr>
        </thead>
        <tbody>
          {indices.map((index) => (
            <tr key={index}>
              <td>{index + 1}</td>
              {columns.map(({ member, given, said, label, required }) => (
                <td key={member}>
                  <Field
                    name={member}
                    place={inside(inside(place, index), member)}
                    schema={given}
                    spec={said}
                    required={required}
                    bare
                    label={`${label}, ${text.row(index + 1)}`}
                  />
                </td>
              ))}
              {acts && (
                <td className="sf-acts">
                  <RowButtons index={index} last={index === count - 1} acts={acts} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const NOTHING_SAID: JsonObject = {};

interface ItemsProps {
  readonly place: Place;
  readonly schemaAt: (index: number) => unknown;
  readonly spec: JsonObject;
  readonly indices: readonly number[];
  readonly acts: RowActs | null;
  readonly count: number;
}

function Items({ place, schemaAt, spec, indices, acts, count }: ItemsProps) {
  return (
    <div style={{ display: "grid", gap: 6 }}>
      {indices.map((index) => (
        <div className="sf-item" key={index}>
          <Field name={`#${index + 1}`} place={inside(place, index)} schema={schemaAt(index)} spec={spec} required />
          {acts && <RowButtons index={index} last={index === count - 1} acts={acts} />}
        </div>
      ))}
    </div>
  );
}
