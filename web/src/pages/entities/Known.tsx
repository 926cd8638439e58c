import { Button, Group, SimpleGrid, Stack } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { useScope } from "#/app/scope";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { isObject } from "#/forms/nodes";
import { type FunctionSheet, functionQuery, nameOf } from "#/functions/functions";
import { useLanguage, useTexts } from "#/i18n/texts";
import { firstValue } from "#/schema-form";
import { KeyValue, outputsOf, Views } from "#/views";
import { FieldNames } from "#/views/FieldNames";
import { plainField } from "#/views/fields";
import { titleOf } from "./fields";
import { answerQuery, type Entity } from "./queries";
import { entityTexts } from "./texts";
import { type Deed, needsOnly, readOf, withId } from "./things";
import { Waits } from "./Waits";

/** Each is a call on record: no more than these are made because somebody looks. */
const MOST = 8;

interface Props {
  readonly entity: Entity;
  readonly id: string;
  /** Queries about one thing, the one that shows it first. */
  readonly functions: readonly Deed[];
}

/** What functions say of it. */
export function Known({ entity, id, functions }: Props) {
  const text = useTexts(entityTexts);
  const read = readOf(entity);
  const [first, ...others] = functions.slice(0, MOST);
  const isRead = first !== undefined && first.function_id === read?.function_id;
  return (
    <>
      {isRead ? (
        <Answer entity={entity} deed={first} id={id} title={text.facts} />
      ) : (
        <EmptyState title={text.noRead} hint={text.noReadHint} />
      )}
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
        {(isRead ? others : functions.slice(0, MOST)).map((deed) => (
          <Answer key={deed.function_id} entity={entity} deed={deed} id={id} />
        ))}
      </SimpleGrid>
    </>
  );
}

interface AnswerProps {
  readonly entity: Entity;
  readonly deed: Deed;
  readonly id: string;
  readonly title?: string;
}

function Answer({ entity, deed, id, title }: AnswerProps) {
  const language = useLanguage();
  const { game, env } = useScope();
  const sheet = useQuery(functionQuery(game, env, deed.function_id));
  const name = title ?? (sheet.data ? nameOf(sheet.data.function, language) : deed.function_id);
  if (sheet.isError)
    return (
      <Section title={name}>
        <ProblemBox error={sheet.error} again={() => void sheet.refetch()} />
      </Section>
    );
  if (!sheet.data) return <Waiting rows={3} />;
  // What wants more than the id is asked from its form; what nobody may or can answer is not asked at all.
  if (!needsOnly(sheet.data.schema, deed.key) || !sheet.data.function.may) return null;
  return <Asked entity={entity} sheet={sheet.data} deed={deed} id={id} name={name} />;
}

interface Shown {
  readonly entity: Entity;
  readonly sheet: FunctionSheet;
  readonly name: string;
}

function Asked({ entity, sheet, deed, id, name }: Shown & { readonly deed: Deed; readonly id: string }) {
  const text = useTexts(entityTexts);
  const scope = useScope();
  const payload = withId(firstValue(sheet.schema, sheet.uischema), deed.key, id, sheet.schema);
  const answer = useQuery(answerQuery(scope, deed.function_id, payload));
  return (
    <Section
      title={name}
      hint={<code>{deed.function_id}</code>}
      acts={
        <Group gap={6}>
          {answer.dataUpdatedAt > 0 && <Time ms={answer.dataUpdatedAt} />}
          <Button
            size="compact-xs"
            variant="subtle"
            aria-label={`${text.refresh}: ${name}`}
            loading={answer.isFetching}
            leftSection={<IconRefresh size={12} aria-hidden />}
            onClick={() => void answer.refetch()}
          >
            {text.refresh}
          </Button>
        </Group>
      }
    >
      <Stack gap="xs">
        {answer.isError && <ProblemBox error={answer.error} again={() => void answer.refetch()} />}
        {answer.isPending && <Waiting rows={4} />}
        {answer.data?.approval && <Waits approval={answer.data.approval} />}
        {answer.data && !answer.data.approval && (
          <Value entity={entity} sheet={sheet} value={answer.data.value} name={name} />
        )}
      </Stack>
    </Section>
  );
}

/** As the function says, else name by name. */
function Value({ entity, sheet, value, name }: Shown & { readonly value: unknown }) {
  const language = useLanguage();
  const outputs = outputsOf(sheet.descriptor);
  const plain = outputs.views.length === 0 && isObject(value);
  const nameOf = useCallback((key: string) => titleOf(entity, plainField(key), language), [entity, language]);
  return (
    <FieldNames nameOf={nameOf}>
      {plain ? <KeyValue value={value} /> : <Views outputs={outputs} value={value} label={name} />}
    </FieldNames>
  );
}
