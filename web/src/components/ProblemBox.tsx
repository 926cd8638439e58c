import { Alert, Button, Code, Group, List, Text } from "@mantine/core";
import { IconAlertTriangle, IconPlugConnectedX } from "@tabler/icons-react";
import { type Problem, ProblemError, Unreachable } from "#/api/problem";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { sayingOf } from "#/refusals/said";
import { commonTexts } from "./texts";

interface Props {
  readonly error: unknown;
  readonly again?: (() => void) | undefined;
}

/** What went wrong and what to do, in the page's language as far as it has words for it, else in the server's. */
export function ProblemBox({ error, again }: Props) {
  const text = useTexts(commonTexts);
  const unreachable = error instanceof Unreachable;
  const language = useLanguage();
  const problem = error instanceof ProblemError ? error.problem : null;
  const saying = problem && sayingOf(problem, language);
  const title = unreachable ? text.unreachable : (saying?.title ?? text.broken);
  const detail = unreachable ? text.unreachableHint : (saying?.detail ?? String(error));
  return (
    <Alert
      role="alert"
      variant="light"
      color="red"
      title={title}
      icon={unreachable ? <IconPlugConnectedX size={16} /> : <IconAlertTriangle size={16} />}
    >
      <Text style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{detail}</Text>
      {saying?.next && <Text mt={2}>{saying.next}</Text>}
      {problem && <Details problem={problem} />}
      {again && (
        <Button mt="xs" variant="default" onClick={again}>
          {text.again}
        </Button>
      )}
    </Alert>
  );
}

function Details({ problem }: { problem: Problem }) {
  const language = useLanguage();
  const text = useTexts(commonTexts);
  const told = [
    ...(problem.faults ?? []).map((fault) => ({ path: fault.path, message: inLanguage(fault.message, language) })),
    ...(problem.errors ?? []),
  ];
  return (
    <>
      {told.length > 0 && (
        <List size="xs" mt={4}>
          {told.map((fault) => (
            <List.Item key={`${fault.path} ${fault.message}`}>
              <Code>{fault.path || "/"}</Code> {fault.message}
            </List.Item>
          ))}
        </List>
      )}
      <Group gap="md" mt={4}>
        <Text c="dimmed" ff="monospace">
          {problem.status} {problem.reason}
        </Text>
        {problem.call_id && (
          <Text c="dimmed" ff="monospace">
            {text.call} {problem.call_id}
          </Text>
        )}
        {problem.trace_id && (
          <Text c="dimmed" ff="monospace">
            {text.trace} {problem.trace_id}
          </Text>
        )}
      </Group>
    </>
  );
}
