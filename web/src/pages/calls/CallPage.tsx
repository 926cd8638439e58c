import { Alert, Anchor, Badge, Button, Grid, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { may, meQuery } from "#/api/session";
import { CopyField } from "#/components/CopyField";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Time } from "#/components/Time";
import { commonTexts } from "#/components/texts";
import { Waiting } from "#/components/Waiting";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useTopic } from "#/live";
import { said } from "#/refusals/said";
import { Facts, JsonView } from "#/views";
import { CallBadge } from "./CallBadge";
import { Compare } from "./Compare";
import { Hops } from "./Hops";
import { Outcome } from "./Outcome";
import { callQuery, functionQuery, type RecordedCall } from "./queries";
import { RunAgain } from "./RunAgain";
import { callsTexts } from "./texts";

/** One call whole: what was asked, where it went, what came back, how long it took. */
export function CallPage() {
  const { callId } = useParams({ from: "/shell/calls/$callId" });
  const { with: other } = useSearch({ from: "/shell/calls/$callId" });
  const text = useTexts(callsTexts);
  const [reveal, setReveal] = useState(false);
  const call = useQuery(callQuery(callId, reveal));
  const { refetch } = call;
  const running = call.data?.state === "running";
  useTopic(running ? "calls" : null, ({ type, data }) => {
    if (type === "reset" || (data as { id?: string } | null)?.id === callId) void refetch();
  });
  if (call.isPending && call.failureCount > 0) return <Waiting rows={3} />;
  if (call.isPending) return <Waiting />;
  if (!call.data)
    return (
      <>
        <PageHeader title={text.title} detail={callId} />
        <ProblemBox error={call.error} again={() => void refetch()} />
      </>
    );
  if (other) return <Compare call={call.data} otherId={other} />;
  return <Shown call={call.data} reveal={reveal} onReveal={setReveal} />;
}

interface ShownProps {
  readonly call: RecordedCall;
  readonly reveal: boolean;
  readonly onReveal: (reveal: boolean) => void;
}

function Shown({ call, reveal, onReveal }: ShownProps) {
  const text = useTexts(callsTexts);
  const language = useLanguage();
  const known = useQuery(functionQuery(call.function_id));
  const [raw, setRaw] = useState(false);
  return (
    <>
      <PageHeader
        title={inLanguage(known.data?.displayName, language, call.function_id)}
        badges={
          <>
            <CallBadge call={call} />
            {call.kind === "job" && <Badge color="gray">{text.kinds.job}</Badge>}
          </>
        }
        detail={
          <>
            {call.function_id} · {call.game_id} / {call.env} · {call.caller} · <Time ms={call.started_ms} />
          </>
        }
      >
        <RunAgain call={call} />
        <Button variant="default" aria-pressed={raw} onClick={() => setRaw(!raw)}>
          {text.raw}
        </Button>
      </PageHeader>
      {raw ? (
        <div style={{ padding: "0 14px 24px" }}>
          <JsonView value={call} label={call.call_id} />
        </div>
      ) : (
        <Grid px="md" pb="xl" gap="xl">
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <Stack gap="lg">
              <Section title={text.result}>
                <Outcome call={call} />
              </Section>
              <Section title={text.timings}>
                <Hops timings={call.timings} />
              </Section>
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Stack gap="lg">
              <Section title={text.arguments} acts={<Reveal call={call} reveal={reveal} onReveal={onReveal} />}>
                <Arguments call={call} />
              </Section>
              <KnownOf call={call} />
            </Stack>
          </Grid.Col>
        </Grid>
      )}
    </>
  );
}

const MASK = /"\*{3,}"|"…masked…"/;

function Reveal({ call, reveal, onReveal }: ShownProps) {
  const text = useTexts(callsTexts);
  const { data: me } = useQuery(meQuery);
  const masked = MASK.test(JSON.stringify([call.payload, call.result]));
  if (!may(me, "calls:reveal") || !(masked || reveal)) return null;
  return (
    <Button size="compact-xs" variant="default" onClick={() => onReveal(!reveal)}>
      {reveal ? text.hide : text.reveal}
    </Button>
  );
}

export function Arguments({ call }: { call: Pick<RecordedCall, "payload" | "payload_base64" | "call_id"> }) {
  const text = useTexts(callsTexts);
  if (call.payload_base64) return <Text ff="monospace">{call.payload_base64.slice(0, 400)}</Text>;
  const { payload } = call;
  if (payload === undefined || (typeof payload === "object" && payload !== null && Object.keys(payload).length === 0))
    return <Text c="dimmed">{text.noArguments}</Text>;
  return <JsonView value={payload} label={`${call.call_id}.arguments`} />;
}

function KnownOf({ call }: { call: RecordedCall }) {
  const text = useTexts(callsTexts);
  const language = useLanguage();
  const { routes } = useTexts(commonTexts);
  const { facts } = text;
  const route: Partial<NonNullable<RecordedCall["route"]>> = call.route ?? {};
  const metadata = call.metadata && Object.keys(call.metadata).length > 0;
  return (
    <Section title={facts.route}>
      <Facts
        facts={[
          [facts.route, routes[route.route as keyof typeof routes] ?? route.route],
          [facts.decision, call.route?.choice && said(call.route.choice, language)],
          [facts.target, route.target_service_id],
          [facts.hash, route.hash_key],
          [facts.version, route.version],
          [facts.instance, call.service_id && <span className="mono">{call.service_id}</span>],
          [facts.agent, call.agent_id && <span className="mono">{call.agent_id}</span>],
          [facts.started, <Time key="s" ms={call.started_ms} exact />],
          [facts.finished, call.finished_ms > 0 && <Time key="f" ms={call.finished_ms} exact />],
          [facts.timeout, call.timeout && `${call.timeout} s`],
          [facts.id, <CopyField key="i" value={call.call_id} label={facts.id} />],
          [facts.trace, call.trace_id && <Trace key="t" id={call.trace_id} />],
          [facts.key, call.idempotency_key && <CopyField key="k" value={call.idempotency_key} label={facts.key} />],
          [facts.replays, call.replays > 0 && facts.replaysHint(call.replays)],
          [facts.againOf, call.replay_of && <CallLink key="a" id={call.replay_of} />],
          [facts.metadata, metadata && <JsonView key="m" value={call.metadata} />],
        ]}
      />
    </Section>
  );
}

function Trace({ id }: { id: string }) {
  const text = useTexts(callsTexts);
  return (
    <Group gap={6}>
      <CopyField value={id} label={text.facts.trace} />
      <Anchor component={Link} to="/calls" search={{ trace: id } as never}>
        {text.sameTrace}
      </Anchor>
    </Group>
  );
}

export function CallLink({ id }: { id: string }) {
  return (
    <Anchor component={Link} to={`/calls/${encodeURIComponent(id)}`} ff="monospace">
      {id}
    </Anchor>
  );
}

/** Says of a failed act on a call which call it made. */
export function MadeCall({ callId }: { callId: string | undefined }) {
  if (!callId) return null;
  return (
    <Alert color="gray">
      <CallLink id={callId} />
    </Alert>
  );
}
