import { Text } from "@mantine/core";
import { useState } from "react";
import { StateBadge } from "#/components/badges";
import { type Column, DataTable } from "#/components/DataTable";
import { Dialog } from "#/components/Dialog";
import { type BroadcastAnswer, errorOf, type Broadcast as Payload } from "#/functions/broadcast";
import { LeftOut } from "#/functions/LeftOut";
import { useLanguage, useTexts } from "#/i18n/texts";
import { JsonView, type OutputsSpec, Views } from "#/views";
import { callsTexts } from "./texts";

/** The answers of all game servers, one a row; a row opens into the function's views. */
export function Broadcast({ payload, outputs, label }: { payload: Payload; outputs: OutputsSpec; label: string }) {
  const text = useTexts(callsTexts);
  const language = useLanguage();
  const [open, setOpen] = useState<BroadcastAnswer | null>(null);
  const columns: Column<BroadcastAnswer>[] = [
    { id: "instance", header: text.columns.instance, mono: true, width: 160, value: (one) => one.service_id },
    { id: "agent", header: text.facts.agent, mono: true, width: 120, value: (one) => one.agent_id },
    {
      id: "state",
      header: text.columns.state,
      width: 110,
      value: (one) => (one.ok ? text.states.succeeded : text.states.failed),
      cell: (one) => (
        <StateBadge
          state={one.ok ? "succeeded" : "failed"}
          label={one.ok ? text.states.succeeded : text.states.failed}
        />
      ),
    },
    {
      id: "answer",
      header: text.result,
      mono: true,
      width: 320,
      value: (one) => (one.ok ? JSON.stringify(one.payload) : errorOf(one, language)),
    },
  ];
  return (
    <>
      <Text fw={600}>{text.broadcast(payload.succeeded, payload.failed)}</Text>
      <DataTable
        label={label}
        rows={payload.results}
        columns={columns}
        rowKey={(one) => `${one.agent_id}/${one.service_id}`}
        onOpen={setOpen}
        maxHeight={420}
      />
      <LeftOut left={payload.skipped ?? []} />
      <Dialog opened={open !== null} onClose={() => setOpen(null)} title={open?.service_id} size="xl">
        {open?.ok && <Views outputs={outputs} value={open.payload} label={label} />}
        {open && !open.ok && <JsonView value={open.error} />}
      </Dialog>
    </>
  );
}
