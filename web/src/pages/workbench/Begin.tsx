import { Anchor, Stack, Text } from "@mantine/core";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, body } from "#/api/client";
import { may, meQuery } from "#/api/session";
import { useScope } from "#/app/scope";
import { HealthDot, RiskBadge } from "#/components/badges";
import { PageHeader } from "#/components/PageHeader";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { type FunctionEntry, functionsQuery, nameOf } from "#/functions/functions";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { CallBadge } from "#/pages/calls/CallBadge";
import { useFavourites } from "./favourites";
import { firstFunctions } from "./firstFunctions";
import { workbenchTexts } from "./texts";

const SHOWN = 8;

/** Before a function is chosen: those used lately, what waits, and what one did last. */
export function Begin() {
  const text = useTexts(workbenchTexts);
  return (
    <div className="begin">
      <PageHeader title={text.title} />
      <Stack px="md" pb="md" gap="lg">
        <Text c="dimmed">{text.chooseHint}</Text>
        <Running />
        <Functions />
        <LastCalls />
      </Stack>
    </div>
  );
}

function Functions() {
  const { begin: text } = useTexts(workbenchTexts);
  const { game, env } = useScope();
  const { favourites, recent } = useFavourites(game);
  const { data: entries = [] } = useQuery(functionsQuery(game, env));
  const shown = firstFunctions(entries, [...favourites, ...recent], SHOWN);
  if (shown.length === 0) return null;
  const used = [...favourites, ...recent].some((id) => shown.some((entry) => entry.id === id));
  return (
    <Section title={used ? text.used : text.first}>
      <ul className="begin-list">
        {shown.map((entry) => (
          <FunctionItem key={entry.id} entry={entry} />
        ))}
      </ul>
    </Section>
  );
}

function FunctionItem({ entry }: { entry: FunctionEntry }) {
  const text = useTexts(workbenchTexts);
  const language = useLanguage();
  const health = text.health(entry.healthy, entry.total);
  return (
    <li>
      <HealthDot healthy={entry.healthy} total={entry.total} label={health} />
      <Anchor component={Link} to={`/f/${encodeURIComponent(entry.id)}`}>
        {nameOf(entry, language)}
      </Anchor>
      <RiskBadge risk={entry.risk} />
      <Text c="dimmed" truncate>
        {inLanguage(entry.summary, language)}
      </Text>
    </li>
  );
}

function Running() {
  const { begin: text } = useTexts(workbenchTexts);
  const { game, env } = useScope();
  const { data: me } = useSuspenseQuery(meQuery);
  const queryKey = ["jobs", game, env, "running"];
  const jobs = useQuery({
    queryKey,
    queryFn: ({ signal }) =>
      body(api.GET("/api/jobs", { signal, params: { query: { state: ["pending", "running"], limit: 100 } } })),
    enabled: may(me, "jobs:read") && Boolean(game && env),
  });
  useInvalidateOn("jobs", queryKey);
  const running = jobs.data?.jobs.length ?? 0;
  if (running === 0) return null;
  return (
    <Anchor component={Link} to="/jobs" search={{ state: "running" } as never}>
      {text.running(running)} →
    </Anchor>
  );
}

function LastCalls() {
  const { begin: text } = useTexts(workbenchTexts);
  const language = useLanguage();
  const { game, env } = useScope();
  const { data: me } = useSuspenseQuery(meQuery);
  const { data: entries = [] } = useQuery(functionsQuery(game, env));
  const queryKey = ["calls", game, env, "last", me?.name];
  const calls = useQuery({
    queryKey,
    queryFn: ({ signal }) =>
      body(api.GET("/api/calls", { signal, params: { query: { limit: SHOWN, ...(me && { caller: me.name }) } } })),
    enabled: may(me, "calls:read") && Boolean(game && env),
  });
  useInvalidateOn("calls", queryKey);
  const made = calls.data?.calls ?? [];
  if (made.length === 0) return null;
  const names = new Map(entries.map((entry) => [entry.id, nameOf(entry, language)]));
  return (
    <Section
      title={text.last}
      hint={text.lastHint}
      acts={
        <Anchor component={Link} to="/calls">
          {text.all}
        </Anchor>
      }
    >
      <ul className="begin-list">
        {made.map((call) => (
          <li key={call.call_id}>
            <Anchor component={Link} to={`/calls/${encodeURIComponent(call.call_id)}`}>
              {names.get(call.function_id) ?? call.function_id}
            </Anchor>
            <CallBadge call={call} />
            <Text c="dimmed">
              <Time ms={call.started_ms} />
            </Text>
          </li>
        ))}
      </ul>
    </Section>
  );
}
