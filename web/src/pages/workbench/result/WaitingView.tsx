import { Alert, Anchor, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, body } from "#/api/client";
import { type Problem, ProblemError } from "#/api/problem";
import type { components } from "#/api/schema";
import { StateBadge } from "#/components/badges";
import { ProblemBox } from "#/components/ProblemBox";
import type { FunctionSheet } from "#/functions/functions";
import { useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { said } from "#/refusals/said";
import type { Run } from "../runs";
import { workbenchTexts } from "../texts";
import { JobView } from "./JobView";
import { ResultOf } from "./RunView";

type RecordedCall = components["schemas"]["RecordedCall"];

interface Props {
  readonly approvalId: string;
  readonly callId: string;
  readonly run: Run;
  readonly sheet: FunctionSheet;
}

/** A call that waits for somebody else; what becomes of it appears here by itself, under the id that it has. */
export function WaitingView({ approvalId, callId, run, sheet }: Props) {
  const text = useTexts(workbenchTexts);
  const approval = useQuery({
    queryKey: ["approvals", approvalId],
    queryFn: ({ signal }) =>
      body(api.GET("/api/approvals/{approval_id}", { params: { path: { approval_id: approvalId } }, signal })),
  });
  useInvalidateOn("approvals", ["approvals", approvalId]);
  const language = useLanguage();
  const state = approval.data?.state ?? "pending";
  const done = state === "executed" || state === "failed" || state === "outcome_unknown";
  return (
    <>
      <Alert
        color={done ? "gray" : "yellow"}
        title={state === "pending" ? text.waitingTitle : text.approval(text.approvalState[state])}
      >
        {state === "pending" && <Text>{text.waitingHint}</Text>}
        {approval.data?.message && <Text>{said(approval.data.ending, language)}</Text>}
        <Anchor component={Link} to={`/approvals/${approvalId}`}>
          {text.openApproval}
        </Anchor>
      </Alert>
      {done && run.wish.kind === "job" && <JobView jobId={callId} sheet={sheet} />}
      {done && run.wish.kind === "invoke" && <CallResult callId={callId} sheet={sheet} />}
    </>
  );
}

/** The recorded answer of a call that ran later. */
function CallResult({ callId, sheet }: { callId: string; sheet: FunctionSheet }) {
  const text = useTexts(workbenchTexts);
  const call = useQuery({
    queryKey: ["calls", callId],
    queryFn: ({ signal }) => body(api.GET("/api/calls/{call_id}", { params: { path: { call_id: callId } }, signal })),
  });
  useInvalidateOn("calls", ["calls", callId]);
  if (call.error) return <ProblemBox error={call.error} again={() => void call.refetch()} />;
  if (!call.data) return null;
  const { state, error, result } = call.data;
  return (
    <div style={{ marginTop: 8 }}>
      <StateBadge state={state} label={text.callState[state]} />
      {error && <ProblemBox error={new ProblemError(problemOf(call.data))} />}
      {result && <ResultOf value={result.payload ?? result.payload_base64} sheet={sheet} />}
    </div>
  );
}

function problemOf({ error, reason, next, call_id, code, details }: RecordedCall): Problem {
  return {
    type: `urn:croupier:error:${reason}`,
    title: reason,
    status: 502,
    detail: [error, next].filter(Boolean).join("\n"),
    reason,
    call_id,
    ...(code && { code }),
    ...(details && { details }),
  };
}
