import { Text } from "@mantine/core";
import { useState } from "react";
import { StateBadge } from "#/components/badges";
import { DataTable } from "#/components/DataTable";
import { type Broadcast, type BroadcastAnswer, errorOf } from "#/functions/broadcast";
import type { FunctionSheet } from "#/functions/functions";
import { LeftOut } from "#/functions/LeftOut";
import { useLanguage, useTexts } from "#/i18n/texts";
import { JsonView, outputsOf, Views } from "#/views";
import { workbenchTexts } from "../texts";

/** What each game server said; one of them by the function's views. */
export function BroadcastView({ value, sheet }: { value: Broadcast; sheet: FunctionSheet }) {
  const text = useTexts(workbenchTexts);
  const language = useLanguage();
  const [opened, setOpened] = useState<string>();
  const shown = value.results.find((each) => keyOf(each) === opened);
  return (
    <>
      <Text fw={600} mb={4}>
        {text.broadcastSummary(value.succeeded, value.failed, value.skipped?.length ?? 0)}
      </Text>
      <DataTable
        label={text.result}
        rows={value.results}
        rowKey={keyOf}
        selected={opened}
        onOpen={(row) => setOpened(keyOf(row))}
        maxHeight={300}
        columns={[
          {
            id: "server",
            header: text.gameServer,
            mono: true,
            cell: (row) => row.service_id,
            value: (row) => row.service_id,
          },
          {
            id: "state",
            header: text.result,
            cell: (row) => (
              <StateBadge state={row.ok ? "succeeded" : "failed"} label={row.ok ? text.state.ok : text.state.failed} />
            ),
            value: (row) => (row.ok ? 1 : 0),
          },
          {
            id: "error",
            header: "",
            value: (row) => errorOf(row, language),
          },
        ]}
      />
      <LeftOut left={value.skipped ?? []} />
      {shown?.ok && <Views outputs={outputsOf(sheet.descriptor)} value={shown.payload} label={shown.service_id} />}
      {shown && !shown.ok && <JsonView value={shown.error} label={shown.service_id} />}
    </>
  );
}

function keyOf({ agent_id, service_id }: BroadcastAnswer): string {
  return `${agent_id} ${service_id}`;
}
