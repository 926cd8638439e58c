import { Alert, Autocomplete, Button, Group, JsonInput, Select, Stack, Table, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, body } from "#/api/client";
import type { components } from "#/api/schema";
import { useScope } from "#/app/scope";
import { StateBadge } from "#/components/badges";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { useLanguage, useTexts } from "#/i18n/texts";
import { workbenchTexts } from "#/pages/workbench/texts";
import { said } from "#/refusals/said";
import { rolesQuery } from "./queries";
import { accessTexts } from "./texts";

type Answer = components["schemas"]["ExplainAnswer"];

/** Why somebody may or may not: the server's own gates, asked without running anything. */
export function TryPage() {
  const text = useTexts(accessTexts).try;
  const { role } = useParams({ from: "/shell/roles/$role/try" });
  const search = useSearch({ from: "/shell/roles/$role/try" });
  const { game, env } = useScope();
  const roles = useQuery(rolesQuery);
  const functions = useQuery({
    queryKey: ["descriptors", "ids", game, env],
    queryFn: ({ signal }) => body(api.GET("/api/descriptors", { signal })),
  });
  const [given, setGiven] = useState({
    as: search.user ? "user" : "role",
    user: search.user ?? "",
    fn: search.fn ?? "",
    permission: "",
    payload: "{}",
  });
  const change = (change: Partial<typeof given>) => setGiven((now) => ({ ...now, ...change }));
  // An address that names a function is a question already.
  const [asked, setAsked] = useState(search.fn ? given : null);
  const explain = useQuery({
    queryKey: ["explain", "try", game, env, role, asked],
    queryFn: ({ signal }) => {
      const { as, user, fn, permission, payload } = asked ?? given;
      const who = as === "user" ? { user } : { role };
      const what = permission ? { permission } : { function_id: fn, payload: JSON.parse(payload || "{}") as unknown };
      return body(api.POST("/api/access/explain", { body: { ...who, ...what, game_id: game, env }, signal }));
    },
    enabled: asked !== null,
    retry: false,
  });
  const ids = Array.isArray(functions.data) ? functions.data.map((each) => String(each.id)) : [];
  return (
    <>
      <PageHeader title={text.title(role)} detail={`${text.hint} ${game} / ${env}`} />
      <Stack px="md" pb="xl" maw={960}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (asked === given) void explain.refetch();
            else setAsked(given);
          }}
        >
          <Stack gap="xs">
            <Group gap="xs" align="flex-end">
              <Select
                label={text.who}
                w={130}
                allowDeselect={false}
                data={[
                  { value: "role", label: text.role },
                  { value: "user", label: text.user },
                ]}
                value={given.as}
                onChange={(value) => change({ as: value ?? "role" })}
              />
              {given.as === "user" && (
                <TextInput
                  label={text.user}
                  required
                  value={given.user}
                  onChange={(event) => change({ user: event.currentTarget.value })}
                />
              )}
              <Autocomplete
                label={text.function}
                w={220}
                data={ids}
                value={given.fn}
                onChange={(fn) => change({ fn, permission: "" })}
              />
              <Autocomplete
                label={text.permission}
                w={190}
                data={Object.keys(roles.data?.permissions ?? {})}
                value={given.permission}
                onChange={(permission) => change({ permission })}
              />
            </Group>
            {!given.permission && (
              <JsonInput
                label={text.payload}
                validationError={text.badPayload}
                formatOnBlur
                autosize
                minRows={3}
                maxRows={16}
                value={given.payload}
                onChange={(payload) => change({ payload })}
              />
            )}
            <Button
              type="submit"
              w="fit-content"
              loading={explain.isFetching}
              disabled={!given.fn && !given.permission}
            >
              {text.ask}
            </Button>
          </Stack>
        </form>
        <div aria-live="polite">
          {explain.error && <ProblemBox error={explain.error} />}
          {explain.data && <Verdict answer={explain.data} />}
        </div>
      </Stack>
    </>
  );
}

function Verdict({ answer }: { answer: Answer }) {
  const text = useTexts(accessTexts).try;
  const { gates, verdicts } = useTexts(workbenchTexts).gate;
  const language = useLanguage();
  const called = (gate: string) => gates[gate as keyof typeof gates] ?? gate;
  const decisive = answer.gates.find((each) => each.gate === answer.decided_by && each.detail === answer.reason);
  const word = answer.allowed === null ? text.undecided : answer.allowed ? text.allowed : text.denied;
  const color = answer.allowed === null ? "yellow" : answer.allowed ? "green" : "red";
  return (
    <Stack gap="xs">
      <Alert color={color} title={word}>
        {said({ ...decisive, detail: answer.reason }, language)}
        {answer.decided_by && ` (${text.decidedBy}: ${called(answer.decided_by)})`}
      </Alert>
      <Table withTableBorder aria-label={text.gate}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{text.gate}</Table.Th>
            <Table.Th>{text.verdict}</Table.Th>
            <Table.Th>{text.detail}</Table.Th>
            <Table.Th>{text.rule}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {answer.gates.map((gate) => (
            <Table.Tr key={`${gate.gate} ${gate.rule}`}>
              <Table.Td>{called(gate.gate)}</Table.Td>
              <Table.Td>
                <StateBadge
                  state={gate.verdict}
                  label={verdicts[gate.verdict as keyof typeof verdicts] ?? gate.verdict}
                />
              </Table.Td>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{said(gate, language)}</Table.Td>
              <Table.Td ff="monospace">{gate.rule}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
