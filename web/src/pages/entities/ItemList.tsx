import { Button, Group, Text, TextInput } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useScope } from "#/app/scope";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { isObject } from "#/forms/nodes";
import type { FunctionSheet } from "#/functions/functions";
import { inLanguage, useLanguage, useLocale, useTexts } from "#/i18n/texts";
import { checkForm, FormEditor, firstValue, parseJson, toJson } from "#/schema-form";
import { inline, member } from "#/views/format";
import { ShownValue } from "#/views/KeyValue";
import { columnsOf, titleOf } from "./fields";
import { answerQuery, type Entity } from "./queries";
import { entityTexts } from "./texts";
import { at, idOf, itemsOf, textAt } from "./things";
import { Waits } from "./Waits";

type Json = Readonly<Record<string, unknown>>;

/** The arguments of the list: the address's, else the form's first ones. */
function useListArguments(sheet: FunctionSheet) {
  const { args } = useSearch({ from: "/shell/entities/$type" });
  const navigate = useNavigate({ from: "/entities/$type" });
  const given = readArguments(args) ?? firstValue(sheet.schema, sheet.uischema);
  const change = (value: unknown) =>
    void navigate({ search: (now) => ({ ...now, args: toJson(value) }), replace: true });
  return { given, change };
}

/** undefined for what is no JSON: an address may say anything. */
function readArguments(args: string | undefined): unknown {
  if (!args) return undefined;
  try {
    return parseJson(args);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Rows of a list function, with its conditions and pages. */
export function ItemList({ entity, sheet }: { entity: Entity; sheet: FunctionSheet }) {
  const text = useTexts(entityTexts);
  const scope = useScope();
  const { given, change } = useListArguments(sheet);
  const { pruned, faults } = checkForm(sheet.schema, sheet.uischema, given);
  const complete = faults.length === 0;
  const [open, setOpen] = useState(!complete);
  const answer = useQuery({ ...answerQuery(scope, sheet.function.id, pruned), enabled: complete });
  const rows = itemsOf(answer.data?.value, entity);
  return (
    <>
      <Conditions sheet={sheet} entity={entity} given={given} change={change} open={open} onOpen={setOpen} />
      {!complete && <EmptyState title={text.incomplete} />}
      {answer.isError && <ProblemBox error={answer.error} again={() => void answer.refetch()} />}
      {complete && answer.isPending && <Waiting />}
      {answer.data?.approval && <Waits approval={answer.data.approval} />}
      {answer.data && !answer.data.approval && (
        <>
          <Rows entity={entity} rows={rows} isList={rows.length > 0 || hasList(answer.data.value)} />
          <Pages entity={entity} value={answer.data.value} given={given} change={change}>
            <Button
              size="compact-xs"
              variant="subtle"
              loading={answer.isFetching}
              leftSection={<IconRefresh size={12} aria-hidden />}
              onClick={() => void answer.refetch()}
            >
              {text.refresh}
            </Button>
            <Time ms={answer.dataUpdatedAt} />
          </Pages>
        </>
      )}
    </>
  );
}

function hasList(value: unknown): boolean {
  return Array.isArray(value) || (isObject(value) && Object.values(value).some(Array.isArray));
}

interface ConditionsProps {
  readonly entity: Entity;
  readonly sheet: FunctionSheet;
  readonly given: unknown;
  readonly change: (value: unknown) => void;
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
}

/** What is searched for: a text where the entity names an argument for it, and the whole form one key away. */
function Conditions({ entity, sheet, given, change, open, onOpen }: ConditionsProps) {
  const text = useTexts(entityTexts);
  const language = useLanguage();
  const [draft, setDraft] = useState(given);
  const argument = searchArgument(entity);
  const page = textAt(entity.ui, "pagination", "page");
  const begin = (value: unknown) => change(page && isObject(value) ? { ...value, [page]: 1 } : value);
  const sought = argument && isObject(given) ? String(given[argument] ?? "") : "";
  return (
    <div style={{ padding: "4px 16px" }}>
      <Group gap="xs" align="center">
        {argument && (
          <Search
            key={sought}
            label={text.searchOf(inLanguage(entity.title, language, entity.type))}
            sought={sought}
            search={(value) => begin({ ...(isObject(given) ? given : {}), [argument]: value })}
          />
        )}
        <Button
          variant="subtle"
          aria-expanded={open}
          onClick={() => {
            setDraft(given);
            onOpen(!open);
          }}
        >
          {text.conditions}
        </Button>
      </Group>
      {open && (
        <div style={{ maxWidth: 640, padding: "6px 0" }}>
          <FormEditor schema={sheet.schema} ui={sheet.uischema} value={draft} onChange={setDraft} />
          <Button onClick={() => change(draft)}>{text.ask}</Button>
        </div>
      )}
    </div>
  );
}

function searchArgument(entity: Entity): string {
  const { search } = entity.ui as Json;
  const first: unknown = Array.isArray(search) ? search[0] : search;
  return typeof first === "string" ? first : "";
}

function Search({ label, sought, search }: { label: string; sought: string; search: (value: string) => void }) {
  const text = useTexts(entityTexts);
  const [value, setValue] = useState(sought);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        search(value);
      }}
    >
      <Group gap={4} wrap="nowrap">
        <TextInput
          type="search"
          aria-label={label}
          placeholder={label}
          w={220}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <Button type="submit" variant="default">
          {text.ask}
        </Button>
      </Group>
    </form>
  );
}

function Rows({ entity, rows, isList }: { entity: Entity; rows: readonly Json[]; isList: boolean }) {
  const text = useTexts(entityTexts);
  const language = useLanguage();
  const navigate = useNavigate();
  const fields = columnsOf(entity, rows);
  const columns = fields.map((field): Column<Json & { place: number }> => {
    const { key, width = 140, hidden } = field;
    const numeric = rows.length > 0 && rows.every((row) => typeof member(row, key) === "number");
    return {
      id: key,
      header: titleOf(entity, field, language),
      width,
      hidden,
      mono: key === entity.key,
      ...(numeric && { align: "right" as const }),
      value: (row) => cellValue(member(row, key)),
      cell: (row) => <ShownValue value={member(row, key)} field={field} />,
    };
  });
  const title = inLanguage(entity.title, language, entity.type);
  return (
    <DataTable
      key={fields.map(({ key }) => key).join(" ")}
      label={title}
      rows={rows.map((row, place) => ({ ...row, place }))}
      columns={columns}
      rowKey={(row) => `${idOf(row, entity)} ${row.place}`}
      onOpen={(row) => {
        const id = idOf(row, entity);
        if (id) void navigate({ to: "/entities/$type/$id", params: { type: entity.type, id }, search: {} });
      }}
      empty={<EmptyState title={isList ? text.empty : text.noRows} hint={text.emptyHint} />}
    />
  );
}

function cellValue(value: unknown): string | number | null {
  if (value === null || value === undefined) return null;
  return typeof value === "number" ? value : inline(value);
}

interface PagesProps {
  readonly entity: Entity;
  readonly value: unknown;
  readonly given: unknown;
  readonly change: (value: unknown) => void;
  readonly children: React.ReactNode;
}

/** On from page to page, where the entity says which argument that is. */
function Pages({ entity, value, given, change, children }: PagesProps) {
  const text = useTexts(entityTexts);
  const numbers = new Intl.NumberFormat(useLocale());
  const argument = textAt(entity.ui, "pagination", "page");
  const total = at(value, textAt(entity.ui, "pagination", "total") || "$['']");
  const known = typeof total === "number";
  if (!argument || !isObject(given)) {
    return (
      <Group gap="xs" px="md" py={4}>
        {known && <Text>{text.total(numbers.format(total))}</Text>}
        {children}
      </Group>
    );
  }
  const page = Number(given[argument] ?? 1);
  const size = Number(given[textAt(entity.ui, "pagination", "size")] ?? 0);
  const pages = known && size > 0 ? Math.max(1, Math.ceil(total / size)) : 0;
  const go = (page: number) => change({ ...given, [argument]: page });
  return (
    <Group gap="xs" px="md" py={4}>
      <Button size="compact-xs" variant="default" disabled={page <= 1} onClick={() => go(page - 1)}>
        {text.previous}
      </Button>
      <Text aria-live="polite">{text.page(page, pages)}</Text>
      <Button size="compact-xs" variant="default" disabled={pages > 0 && page >= pages} onClick={() => go(page + 1)}>
        {text.next}
      </Button>
      {known && <Text>{text.total(numbers.format(total))}</Text>}
      {children}
    </Group>
  );
}
