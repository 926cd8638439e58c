import { Button, Popover, Table, Text } from "@mantine/core";
import { IconTarget } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "#/api/client";
import type { components } from "#/api/schema";
import { useScope } from "#/app/scope";
import { HealthDot } from "#/components/badges";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useLanguage, useTexts } from "#/i18n/texts";
import { said } from "#/refusals/said";
import { missingOf, type RouteChoice, routeFields } from "./routing";
import { workbenchTexts } from "./texts";

type Candidate = components["schemas"]["Candidate"];

interface Props {
  readonly functionId: string;
  readonly value: unknown;
  readonly route: RouteChoice;
}

/** Every game server that could receive the call, and why it goes to those it would go to now. */
export function Receivers({ functionId, value, route }: Props) {
  const { receivers: text } = useTexts(workbenchTexts);
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} width={560} position="top-start" shadow="md" withArrow trapFocus>
      <Popover.Target>
        <Button
          variant="subtle"
          px={6}
          leftSection={<IconTarget size={13} aria-hidden />}
          disabled={missingOf(route) !== null}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {text.ask}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={text.ask}>
        {open && <Asked functionId={functionId} value={value} route={route} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function Asked({ functionId, value, route }: Props) {
  const { receivers: text } = useTexts(workbenchTexts);
  const language = useLanguage();
  const { game, env } = useScope();
  const fields = routeFields(route);
  const preview = useQuery({
    queryKey: ["route_preview", game, env, functionId, fields, value],
    queryFn: ({ signal }) =>
      body(api.POST("/api/route_preview", { body: { function_id: functionId, payload: value, ...fields }, signal })),
    // Who has the least to do changes from one moment to the next.
    gcTime: 0,
    retry: false,
  });
  if (preview.isPending) return <Waiting rows={3} />;
  if (preview.error) return <ProblemBox error={preview.error} again={() => void preview.refetch()} />;
  const { candidates, total, reason, code, parameters } = preview.data;
  return (
    <>
      <Text mb={6}>{said({ code, parameters, detail: reason }, language) || text.now}</Text>
      {candidates.length > 0 && (
        <div style={{ maxHeight: 260, overflowY: "auto" }}>
          <Candidates candidates={candidates} several={route.route === "broadcast"} />
        </div>
      )}
      {total > candidates.length && <Text c="dimmed">{text.more(total - candidates.length)}</Text>}
    </>
  );
}

function Candidates({ candidates, several }: { candidates: readonly Candidate[]; several: boolean }) {
  const { receivers: text } = useTexts(workbenchTexts);
  const language = useLanguage();
  // The agent chooses among the game servers behind it only when the call is there.
  const one = several || candidates.filter((each) => each.chosen).length === 1;
  return (
    <Table aria-label={text.ask}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{text.server}</Table.Th>
          <Table.Th>{text.agent}</Table.Th>
          <Table.Th>{text.version}</Table.Th>
          <Table.Th ta="right">{text.running}</Table.Th>
          <Table.Th>{text.why}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {candidates.map((each) => (
          <Table.Tr key={`${each.agent_id} ${each.service_id}`} fw={each.chosen ? 600 : 400}>
            <Table.Td ff="monospace">
              <HealthDot healthy={each.healthy ? 1 : 0} total={1} label={each.healthy ? text.healthy : text.ill} />{" "}
              {each.service_id || "—"}
            </Table.Td>
            <Table.Td ff="monospace">{each.agent_id}</Table.Td>
            <Table.Td ff="monospace">{each.version}</Table.Td>
            <Table.Td ta="right">{each.outstanding}</Table.Td>
            <Table.Td>
              {each.chosen ? (one ? text.chosen : text.oneOf) : said({ ...each, detail: each.why }, language)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
