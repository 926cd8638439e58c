import { Alert, Button, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Unreachable } from "#/api/problem";
import { download } from "#/components/download";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { toJson } from "#/forms/exactJson";
import { isBroadcast } from "#/functions/broadcast";
import type { FunctionSheet } from "#/functions/functions";
import { useLocale, useTexts } from "#/i18n/texts";
import { bytes, DiffView, outputsOf, Views } from "#/views";
import type { Run } from "../runs";
import { workbenchTexts } from "../texts";
import { BroadcastView } from "./BroadcastView";
import { JobView } from "./JobView";
import { outcomeOf } from "./outcome";
import { RunHead } from "./RunHead";
import { undoOf } from "./undo";
import { WaitingView } from "./WaitingView";

/** One press of the button and what came of it. */
export function RunView({ run, sheet }: { run: Run; sheet: FunctionSheet }) {
  const outcome = outcomeOf(run);
  return (
    <>
      {outcome !== "job" && <RunHead run={run} outcome={outcome} />}
      {outcome === "sending" && <Waiting rows={4} />}
      {outcome === "stopped" && <Stopped />}
      {run.error !== null && outcome !== "stopped" && <Failure error={run.error} unknown={outcome === "unknown"} />}
      {run.answer && <AnswerView run={run} sheet={sheet} />}
    </>
  );
}

function Stopped() {
  const text = useTexts(workbenchTexts);
  return (
    <Alert color="gray" title={text.state.stopped}>
      {text.stoppedHint}
    </Alert>
  );
}

function Failure({ error, unknown }: { error: unknown; unknown: boolean }) {
  const text = useTexts(workbenchTexts);
  return (
    <>
      {unknown && (
        <Alert color="orange" mb="xs">
          {error instanceof Unreachable ? text.unreachable : text.unknownOutcome}
        </Alert>
      )}
      <ProblemBox error={error} />
    </>
  );
}

function AnswerView({ run, sheet }: { run: Run; sheet: FunctionSheet }) {
  const { answer, facts } = run;
  if (answer?.kind === "job") return <JobView jobId={answer.jobId} sheet={sheet} />;
  if (answer?.kind === "waiting") {
    return <WaitingView approvalId={answer.approvalId} callId={facts?.callId ?? ""} run={run} sheet={sheet} />;
  }
  if (answer?.kind === "bytes") return <BytesView bytes={answer.bytes} name={sheet.function.id} />;
  if (!answer) return null;
  return (
    <>
      {run.wish.route.route === "broadcast" && isBroadcast(answer.value) ? (
        <BroadcastView value={answer.value} sheet={sheet} />
      ) : (
        <ResultOf value={answer.value} sheet={sheet} />
      )}
      {!run.wish.dryRun && <Undo run={run} sheet={sheet} />}
    </>
  );
}

/** An answer by the function's views, and what it says of before and after. */
export function ResultOf({ value, sheet }: { value: unknown; sheet: FunctionSheet }) {
  const text = useTexts(workbenchTexts);
  const change = changeIn(value);
  return (
    <>
      <Views outputs={outputsOf(sheet.descriptor)} value={value} label={sheet.function.id} />
      {change && (
        <section aria-label={text.change}>
          <Title order={2} mt="sm" mb={4}>
            {text.change}
          </Title>
          <DiffView before={change.before} after={change.after} />
        </section>
      )}
    </>
  );
}

/** Answers that have `before` and `after` show what they changed, whatever views they have. */
function changeIn(value: unknown): { before: unknown; after: unknown } | null {
  if (typeof value !== "object" || value === null || !("before" in value && "after" in value)) return null;
  return { before: value.before, after: value.after };
}

function BytesView({ bytes: content, name }: { bytes: Blob; name: string }) {
  const text = useTexts(workbenchTexts);
  const locale = useLocale();
  return (
    <Alert color="gray">
      <Text>{text.bytes(bytes(content.size, locale))}</Text>
      <Button variant="default" mt="xs" onClick={() => download(`${name}.bin`, content, "application/octet-stream")}>
        {text.save}
      </Button>
    </Alert>
  );
}

/** To the form of the function that takes it back, with its arguments filled in. */
function Undo({ run, sheet }: { run: Run; sheet: FunctionSheet }) {
  const text = useTexts(workbenchTexts);
  const undo = undoOf(sheet, run.wish.payload);
  if (!undo) return null;
  return (
    <Button
      component={Link}
      to={`/f/${encodeURIComponent(undo.functionId)}`}
      search={{ args: toJson(undo.args) } as never}
      variant="default"
      mt="sm"
    >
      {text.undo(undo.functionId)}
    </Button>
  );
}
