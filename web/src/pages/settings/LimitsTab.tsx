import { Button, Group, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, EVERYWHERE } from "#/api/client";
import type { components } from "#/api/schema";
import { maySomewhere, meQuery } from "#/api/session";
import { useConfirm } from "#/components/Confirm";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useLocale, useTexts } from "#/i18n/texts";
import { Rows } from "./Rows";
import { ScopeFields, useWhereText } from "./ScopeFields";
import { settingsTexts } from "./texts";

type Limit = components["schemas"]["LimitEntry"];
type Body = components["schemas"]["LimitBody"];

const KEY = ["limits"];

export function LimitsTab() {
  const text = useTexts(settingsTexts);
  const queries = useQueryClient();
  const ask = useConfirm();
  const where = useWhereText();
  const numbers = new Intl.NumberFormat(useLocale());
  const { data: me } = useSuspenseQuery(meQuery);
  const limits = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => body(api.GET("/api/limits", { signal, headers: EVERYWHERE })),
  });
  const remove = useMutation({
    mutationFn: (name: string) => api.DELETE("/api/limits/{name}", { params: { path: { name } }, headers: EVERYWHERE }),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const asked = async ({ name }: Limit) => {
    const consequence = text.limits.consequence(name);
    if (await ask({ title: text.limits.ask, consequence, act: text.delete, destructive: true })) remove.mutate(name);
  };
  const manages = maySomewhere(me, "limits:manage");
  const budget = (limit: Limit) =>
    limit.budget &&
    `${limit.budget.path}: ${text.limits.spent(numbers.format(limit.budget.most), text.limits.periods[limit.budget.period])}, ${text.limits.thens[limit.budget.then]}`;
  return (
    <Stack gap="sm">
      <Text c="dimmed">{text.limits.hint}</Text>
      {limits.isError && <ProblemBox error={limits.error} again={() => void limits.refetch()} />}
      {remove.error && <ProblemBox error={remove.error} />}
      {limits.isPending && <Waiting rows={3} />}
      {limits.data?.limits.length === 0 && <EmptyState title={text.limits.none} />}
      {limits.data && limits.data.limits.length > 0 && (
        <Rows
          label={text.tabs.limits}
          head={[
            text.limits.name,
            text.limits.functions,
            `${text.game} / ${text.env}`,
            text.limits.per,
            text.limits.rate,
            text.limits.concurrency,
            text.limits.budget,
            text.changed,
          ]}
          rows={limits.data.limits.map((limit) => ({
            key: limit.name,
            cells: [
              limit.name,
              limit.functions,
              where(limit),
              text.limits.pers[limit.per],
              limit.rate ? `${numbers.format(limit.rate.value)} / ${numbers.format(limit.rate.window)} s` : "",
              limit.concurrency === null ? "" : `${limit.concurrency} (${limit.running} ${text.limits.running})`,
              budget(limit),
              <Time key="changed" ms={limit.changed_ms} />,
            ],
            acts: manages && (
              <Button size="compact-xs" variant="default" onClick={() => void asked(limit)}>
                {text.delete}
              </Button>
            ),
          }))}
        />
      )}
      {manages && <Add />}
    </Stack>
  );
}

const NOTHING = {
  name: "",
  functions: "",
  game_id: "",
  env: "",
  per: "function" as Limit["per"],
  rate: "",
  concurrency: "" as number | "",
  path: "",
  most: "" as number | "",
  period: "day" as components["schemas"]["Period"],
  beyond: "deny" as components["schemas"]["Then"],
};

function bodyOf(given: typeof NOTHING): Body {
  const { functions, game_id, env, per } = given;
  return {
    functions,
    game_id,
    env,
    per,
    ...(given.rate && { rate: given.rate }),
    ...(given.concurrency !== "" && { concurrency: given.concurrency }),
    ...(given.path &&
      given.most !== "" && {
        // biome-ignore lint/suspicious/noThenProperty: what the API calls it; its value is a text, nothing to be awaited
        budget: { path: given.path, most: given.most, period: given.period, then: given.beyond },
      }),
  };
}

function Add() {
  const text = useTexts(settingsTexts);
  const queries = useQueryClient();
  const [given, setGiven] = useState(NOTHING);
  const change = (change: Partial<typeof given>) => setGiven((now) => ({ ...now, ...change }));
  const put = useMutation({
    mutationFn: () => {
      const params = { path: { name: given.name } };
      return body(api.PUT("/api/limits/{name}", { params, body: bodyOf(given), headers: EVERYWHERE }));
    },
    onSuccess: () => {
      setGiven(NOTHING);
      return queries.invalidateQueries({ queryKey: KEY });
    },
  });
  const choices = <K extends string>(names: Record<K, string>) =>
    (Object.keys(names) as K[]).map((value) => ({ value, label: names[value] }));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        put.mutate();
      }}
    >
      <Stack gap="xs">
        <Group gap="xs" align="flex-end">
          <TextInput
            label={text.limits.name}
            required
            w={140}
            value={given.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
          <TextInput
            label={text.limits.functions}
            placeholder={text.limits.functionsHint}
            required
            w={180}
            value={given.functions}
            onChange={(event) => change({ functions: event.currentTarget.value })}
          />
          <ScopeFields value={given} onChange={change} />
          <Select
            label={text.limits.per}
            w={110}
            allowDeselect={false}
            data={choices(text.limits.pers)}
            value={given.per}
            onChange={(per) => per && change({ per })}
          />
          <TextInput
            label={text.limits.rate}
            placeholder={text.limits.rateHint}
            w={150}
            value={given.rate}
            onChange={(event) => change({ rate: event.currentTarget.value })}
          />
          <NumberInput
            label={text.limits.concurrency}
            w={90}
            min={1}
            allowDecimal={false}
            value={given.concurrency}
            onChange={(concurrency) => change({ concurrency: typeof concurrency === "number" ? concurrency : "" })}
          />
        </Group>
        <Group gap="xs" align="flex-end">
          <TextInput
            label={`${text.limits.budget}: ${text.limits.budgetPath}`}
            placeholder={text.limits.budgetPathHint}
            w={140}
            value={given.path}
            onChange={(event) => change({ path: event.currentTarget.value })}
          />
          <NumberInput
            label={text.limits.budgetMost}
            w={110}
            min={0}
            value={given.most}
            onChange={(most) => change({ most: typeof most === "number" ? most : "" })}
          />
          <Select
            label={text.limits.budgetPeriod}
            w={110}
            allowDeselect={false}
            data={choices(text.limits.periods)}
            value={given.period}
            onChange={(period) => period && change({ period })}
          />
          <Select
            label={text.limits.budgetThen}
            w={170}
            allowDeselect={false}
            data={choices(text.limits.thens)}
            value={given.beyond}
            onChange={(beyond) => beyond && change({ beyond })}
          />
          <Button type="submit" loading={put.isPending} disabled={!given.name || !given.functions}>
            {text.limits.add}
          </Button>
        </Group>
        {put.error && <ProblemBox error={put.error} />}
      </Stack>
    </form>
  );
}
