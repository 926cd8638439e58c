import { Alert, Anchor, Button, Code, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { download } from "#/components/download";
import { isBroadcast } from "#/functions/broadcast";
import type { Language } from "#/i18n/language";
import { useLanguage, useLocale, useTexts } from "#/i18n/texts";
import { kindOf, said } from "#/refusals/said";
import { bytes, JsonView, Views } from "#/views";
import { Broadcast } from "./Broadcast";
import { decoded, functionQuery, type RecordedCall } from "./queries";
import { callsTexts } from "./texts";

/** What came of a call: its result by the function's views, or its error and what to do. */
export function Outcome({ call }: { call: RecordedCall }) {
  const text = useTexts(callsTexts);
  const language = useLanguage();
  const kind = kindOf(call.reason, language);
  return (
    <Stack gap="xs">
      {call.state === "outcome_unknown" && <Unknown call={call} />}
      {call.error && call.state !== "outcome_unknown" && (
        <Alert color={call.state === "canceled" ? "gray" : "red"} title={kind?.title ?? call.reason} role="note">
          <Text style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{errorOf(call, language)}</Text>
          {call.next && <Text mt={4}>{kind?.next ?? call.next}</Text>}
        </Alert>
      )}
      {call.details && Object.keys(call.details).length > 0 && <JsonView value={call.details} label={text.details} />}
      {call.kind === "job" && (
        <Anchor component={Link} to={`/jobs/${encodeURIComponent(call.call_id)}`}>
          {text.jobLink} →
        </Anchor>
      )}
      {call.result ? (
        <Answer functionId={call.function_id} answer={call.result} broadcast={call.route?.route === "broadcast"} />
      ) : (
        !call.error && call.kind !== "job" && <Text c="dimmed">{text.noResult}</Text>
      )}
    </Stack>
  );
}

function errorOf({ code, details, error }: RecordedCall, language: Language): string {
  return said({ code, parameters: details, detail: error }, language);
}

function Unknown({ call }: { call: RecordedCall }) {
  const text = useTexts(callsTexts);
  const language = useLanguage();
  const kind = kindOf(call.reason, language);
  return (
    <Alert color="orange" title={text.unknownTitle} role="note">
      <Text>{text.unknownHint}</Text>
      <Text mt={4}>{text.unknownChecks(call.function_id)}</Text>
      {call.next && <Text mt={4}>{kind?.next ?? call.next}</Text>}
      <Text mt={4} ff="monospace" style={{ overflowWrap: "anywhere" }}>
        {kind?.title ?? call.reason}: {errorOf(call, language)}
      </Text>
    </Alert>
  );
}

interface AnswerProps {
  readonly functionId: string;
  /** `{payload}` or `{payload_base64}`. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly broadcast?: boolean;
}

/** An answer by the views of the function; of a broadcast, by those who gave it; bytes to be saved. */
export function Answer({ functionId, answer, broadcast = false }: AnswerProps) {
  const known = useQuery(functionQuery(functionId));
  if (typeof answer.payload_base64 === "string") return <Bytes base64={answer.payload_base64} name={functionId} />;
  const { payload } = answer;
  const outputs = known.data?.outputs ?? { layout: { type: "", cols: 1 }, views: [] };
  if (broadcast && isBroadcast(payload)) return <Broadcast payload={payload} outputs={outputs} label={functionId} />;
  return <Views outputs={outputs} value={payload} label={functionId} />;
}

const LOOK = 256;

function Bytes({ base64, name }: { base64: string; name: string }) {
  const text = useTexts(callsTexts);
  const locale = useLocale();
  const content = decoded(base64);
  const look = [...content.subarray(0, LOOK)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <Text>{text.bytes(bytes(content.length, locale))}</Text>
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => download(`${name}.bin`, content, "application/octet-stream")}
        >
          {text.save}
        </Button>
      </Group>
      <Code block style={{ whiteSpace: "pre-wrap" }}>
        {look}
      </Code>
    </Stack>
  );
}
