import { Button, Menu, Stack } from "@mantine/core";
import { IconChevronDown, IconRepeat } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { request } from "#/api/client";
import { ProblemError, Unreachable } from "#/api/problem";
import { useConfirm } from "#/components/Confirm";
import { Dialog } from "#/components/Dialog";
import { ProblemBox } from "#/components/ProblemBox";
import { useTexts } from "#/i18n/texts";
import { MadeCall } from "./CallPage";
import type { RecordedCall } from "./queries";
import { callsTexts } from "./texts";

/** The same again: with other arguments in the workbench, or as it was. */
export function RunAgain({ call }: { call: RecordedCall }) {
  const text = useTexts(callsTexts);
  const navigate = useNavigate();
  const confirm = useConfirm();
  const replay = useReplay(call);
  const inWorkbench = () =>
    void navigate({ to: `/f/${encodeURIComponent(call.function_id)}`, search: { call: call.call_id } as never });
  const now = async () => {
    const sure = await confirm({
      title: text.againTitle(call.function_id),
      consequence: (
        <Stack gap="xs">
          {text.againConsequence(`${call.game_id} / ${call.env}`)}
          {call.state === "outcome_unknown" && <strong>{text.againUnknown}</strong>}
        </Stack>
      ),
      act: text.againNow,
      destructive: call.state === "outcome_unknown",
    });
    if (sure) replay.mutate();
  };
  const problem = replay.error instanceof ProblemError ? replay.error.problem : null;
  return (
    <>
      <Button.Group>
        <Button onClick={inWorkbench}>{text.openInWorkbench}</Button>
        <Menu position="bottom-end">
          <Menu.Target>
            <Button px={6} loading={replay.isPending} aria-label={text.again} title={text.again}>
              <IconChevronDown size={14} aria-hidden />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconRepeat size={14} aria-hidden />} onClick={() => void now()}>
              {text.againNow}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Button.Group>
      <Dialog opened={replay.isError} onClose={() => replay.reset()} title={text.againFailed} centered size="lg">
        <Stack gap="xs">
          <ProblemBox
            error={replay.error}
            again={replay.error instanceof Unreachable ? () => replay.mutate() : undefined}
          />
          <MadeCall callId={problem?.call_id ?? undefined} />
        </Stack>
      </Dialog>
    </>
  );
}

/** One key for one wish: asking again after a lost connection is answered with what the first asking did. */
function useReplay(call: RecordedCall) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [key, setKey] = useState(() => crypto.randomUUID());
  return useMutation({
    mutationFn: async () => {
      const answer = await request(`/api/calls/${encodeURIComponent(call.call_id)}/replay`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Game-ID": call.game_id, "X-Env": call.env },
        body: JSON.stringify({ idempotency_key: key }),
      });
      const waiting = answer.status === 202 || call.kind === "job" ? ((await answer.json()) as Made) : {};
      return { ...waiting, call_id: answer.headers.get("X-Call-Id") ?? waiting.call_id };
    },
    onSuccess: (made) => {
      setKey(crypto.randomUUID());
      void queries.invalidateQueries({ queryKey: ["calls"] });
      if (made.approval_id) void navigate({ to: `/approvals/${made.approval_id}` });
      else if (made.job_id) void navigate({ to: `/jobs/${made.job_id}` });
      else if (made.call_id) void navigate({ to: `/calls/${made.call_id}` });
    },
    onError: (error) => {
      if (!(error instanceof Unreachable)) setKey(crypto.randomUUID());
    },
  });
}

interface Made {
  readonly approval_id?: string;
  readonly job_id?: string;
  readonly call_id?: string;
}
