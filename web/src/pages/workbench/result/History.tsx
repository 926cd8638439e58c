import { Anchor, Button, SegmentedControl } from "@mantine/core";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, body } from "#/api/client";
import { meQuery } from "#/api/session";
import { useScope } from "#/app/scope";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Time } from "#/components/Time";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { CallBadge } from "#/pages/calls/CallBadge";
import { workbenchTexts } from "../texts";

const SHOWN = 50;

/** Calls of this function by oneself or by everybody; each can fill the form again. */
export function History({ functionId }: { functionId: string }) {
  const text = useTexts(workbenchTexts);
  const { game, env } = useScope();
  const { data: me } = useSuspenseQuery(meQuery);
  const [whose, setWhose] = useState("mine");
  const caller = whose === "mine" ? me?.name : undefined;
  const queryKey = ["calls", game, env, "of", functionId, whose];
  const calls = useQuery({
    queryKey,
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/calls", {
          params: { query: { function_id: functionId, limit: SHOWN, ...(caller && { caller }) } },
          signal,
        }),
      ),
  });
  useInvalidateOn("calls", queryKey);
  return (
    <>
      <SegmentedControl
        mb={6}
        aria-label={text.tabs.history}
        value={whose}
        onChange={setWhose}
        data={[
          { value: "mine", label: text.mine },
          { value: "all", label: text.everybody },
        ]}
      />
      {calls.error && <ProblemBox error={calls.error} again={() => void calls.refetch()} />}
      {calls.isPending && <Waiting />}
      {calls.data?.calls.length === 0 && <EmptyState title={text.noHistory} />}
      <ul className="history">
        {calls.data?.calls.map((call) => (
          <li key={call.call_id}>
            <CallBadge call={call} />
            <Anchor component={Link} to={`/calls/${call.call_id}`} className="mono" title={text.openCall}>
              <Time ms={call.started_ms} />
            </Anchor>
            <span className="history-who">{call.caller}</span>
            <span className="mono">{call.finished_ms ? text.ms(String(call.finished_ms - call.started_ms)) : ""}</span>
            <Use callId={call.call_id} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Use({ callId }: { callId: string }) {
  const text = useTexts(workbenchTexts);
  const navigate = useNavigate();
  return (
    <Button
      variant="subtle"
      size="compact-xs"
      onClick={() =>
        void navigate({
          to: ".",
          search: (now: Record<string, unknown>) => ({ ...now, call: callId, args: undefined }) as never,
        })
      }
    >
      {text.use}
    </Button>
  );
}
