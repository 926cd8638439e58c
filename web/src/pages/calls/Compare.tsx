import { Anchor, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Section } from "#/components/Section";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { DiffView } from "#/views";
import { CallLink } from "./CallPage";
import { callQuery, type RecordedCall } from "./queries";
import { callsTexts } from "./texts";

/** Two calls beside each other: in what they differ. */
export function Compare({ call, otherId }: { call: RecordedCall; otherId: string }) {
  const text = useTexts(callsTexts);
  const other = useQuery(callQuery(otherId));
  return (
    <>
      <PageHeader
        title={`${text.compare}: ${call.function_id}`}
        detail={
          <>
            <CallLink id={call.call_id} /> {text.with} <CallLink id={otherId} />
          </>
        }
      >
        <Anchor component={Link} to={`/calls/${encodeURIComponent(call.call_id)}`}>
          {text.notCompared}
        </Anchor>
      </PageHeader>
      {other.isPending && <Waiting />}
      {other.isError && <ProblemBox error={other.error} again={() => void other.refetch()} />}
      {other.data && <Differences before={call} after={other.data} />}
    </>
  );
}

function Differences({ before, after }: { before: RecordedCall; after: RecordedCall }) {
  const text = useTexts(callsTexts);
  return (
    <Stack px="md" pb="xl" gap="lg">
      <Section title={text.differences.facts}>
        <DiffView before={factsOf(before)} after={factsOf(after)} />
      </Section>
      <Section title={text.differences.arguments}>
        <DiffView before={before.payload ?? before.payload_base64} after={after.payload ?? after.payload_base64} />
      </Section>
      <Section title={text.differences.result}>
        <DiffView before={before.result} after={after.result} />
      </Section>
    </Stack>
  );
}

function factsOf(call: RecordedCall) {
  const { function_id, game_id, env, caller, state, reason, error, service_id, agent_id, route, metadata, timings } =
    call;
  const took_ms = Math.round(timings.server_us / 100) / 10;
  return { function_id, game_id, env, caller, state, reason, error, service_id, agent_id, route, metadata, took_ms };
}
