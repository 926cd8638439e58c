import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, EVERYWHERE } from "#/api/client";
import type { components } from "#/api/schema";
import { maySomewhere, meQuery } from "#/api/session";
import { useScope } from "#/app/scope";
import { StateBadge } from "#/components/badges";
import { CalendarWords } from "#/components/CalendarWords";
import { useConfirm } from "#/components/Confirm";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { Rows } from "./Rows";
import { ScopeFields, useWhereText } from "./ScopeFields";
import { settingsTexts } from "./texts";

type MaintenanceWindow = components["schemas"]["MaintenanceWindow"];

const KEY = ["maintenance"];
const COLORS: Record<MaintenanceWindow["state"], string> = { open: "running", planned: "pending", over: "expired" };

/** A request about a window is one about where it counts, not about where the page stands. */
function headersOf({ game_id, env }: { game_id: string; env: string }) {
  return { "X-Game-ID": game_id === "*" ? "" : game_id, "X-Env": env === "*" ? "" : env };
}

export function MaintenanceTab() {
  const text = useTexts(settingsTexts);
  const where = useWhereText();
  const queries = useQueryClient();
  const ask = useConfirm();
  const { data: me } = useSuspenseQuery(meQuery);
  const scope = useScope();
  const windows = useQuery({
    queryKey: [...KEY, scope.game, scope.env],
    queryFn: ({ signal }) =>
      body(api.GET("/api/maintenance", { signal, ...(maySomewhere(me, "users:read") && { headers: EVERYWHERE }) })),
  });
  useInvalidateOn("maintenance", KEY);
  const end = useMutation({
    mutationFn: (window: MaintenanceWindow) =>
      body(
        api.POST("/api/maintenance/{window_id}/end", {
          params: { path: { window_id: window.id } },
          headers: headersOf(window),
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const asked = async (window: MaintenanceWindow) => {
    const consequence = text.maintenance.endConsequence(where(window));
    if (await ask({ title: text.maintenance.askEnd, consequence, act: text.maintenance.end })) end.mutate(window);
  };
  const manages = maySomewhere(me, "maintenance:manage");
  return (
    <Stack gap="sm">
      <Text c="dimmed">{text.maintenance.hint}</Text>
      {windows.isError && <ProblemBox error={windows.error} again={() => void windows.refetch()} />}
      {end.error && <ProblemBox error={end.error} />}
      {windows.isPending && <Waiting rows={3} />}
      {windows.data?.windows.length === 0 && <EmptyState title={text.maintenance.none} />}
      {windows.data && windows.data.windows.length > 0 && (
        <Rows
          label={text.tabs.maintenance}
          head={[
            text.state,
            `${text.game} / ${text.env}`,
            text.maintenance.reason,
            text.maintenance.starts,
            text.maintenance.ends,
            text.by,
          ]}
          rows={windows.data.windows.map((window) => ({
            key: window.id,
            cells: [
              <StateBadge key="state" state={COLORS[window.state]} label={text.maintenance.states[window.state]} />,
              where(window),
              window.reason,
              <Time key="starts" ms={window.starts_ms} />,
              window.ends_ms > 0 ? <Time key="ends" ms={window.ends_ms} /> : "",
              window.created_by,
            ],
            acts: manages && window.state !== "over" && (
              <Button size="compact-xs" variant="default" onClick={() => void asked(window)}>
                {text.maintenance.end}
              </Button>
            ),
          }))}
        />
      )}
      {manages && <Open />}
    </Stack>
  );
}

function Open() {
  const text = useTexts(settingsTexts);
  const where = useWhereText();
  const scope = useScope();
  const queries = useQueryClient();
  const ask = useConfirm();
  const [given, setGiven] = useState({ reason: "", game_id: scope.game, env: scope.env, starts: "", lasts: "" });
  const open = useMutation({
    mutationFn: () => {
      // The picker gives the browser's local time without a zone; the server wants a moment.
      const starts = given.starts ? new Date(given.starts).toISOString() : "";
      return body(api.POST("/api/maintenance", { body: { ...given, starts }, headers: headersOf(given) }));
    },
    onSuccess: () => {
      setGiven((now) => ({ ...now, reason: "", starts: "", lasts: "" }));
      return queries.invalidateQueries({ queryKey: KEY });
    },
  });
  const asked = async () => {
    const consequence = text.maintenance.openConsequence(where(given));
    const question = { title: text.maintenance.askOpen, consequence, act: text.maintenance.open, destructive: true };
    if (await ask(question)) open.mutate();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void asked();
      }}
    >
      <Group gap="xs" align="flex-end">
        <ScopeFields value={given} onChange={(where) => setGiven({ ...given, ...where })} />
        <TextInput
          label={text.maintenance.reason}
          required
          w={220}
          maxLength={500}
          value={given.reason}
          onChange={(event) => setGiven({ ...given, reason: event.currentTarget.value })}
        />
        <CalendarWords>
          <DateTimePicker
            label={text.maintenance.starts}
            placeholder={text.maintenance.now}
            valueFormat="YYYY-MM-DD HH:mm"
            clearable
            w={160}
            value={given.starts || null}
            onChange={(starts) => setGiven({ ...given, starts: starts ?? "" })}
          />
        </CalendarWords>
        <TextInput
          label={text.maintenance.lasts}
          placeholder={text.maintenance.lastsHint}
          w={220}
          value={given.lasts}
          onChange={(event) => setGiven({ ...given, lasts: event.currentTarget.value })}
        />
        <Button type="submit" color="red" loading={open.isPending} disabled={!given.reason}>
          {text.maintenance.open}
        </Button>
      </Group>
      {open.error && <ProblemBox error={open.error} />}
    </form>
  );
}
