import { Alert, Button, Checkbox, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, body } from "#/api/client";
import { useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import { useTexts } from "#/i18n/texts";
import { type Bulk, DRAFT } from "./queries";
import { bulkTexts } from "./texts";

type Act = "confirm" | "pause" | "resume" | "cancel";

function useAct(bulk: Bulk) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (act: Act) =>
      body(api.POST(`/api/bulk/{bulk_id}/${act}`, { params: { path: { bulk_id: bulk.bulk_id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["bulk"] }),
  });
}

function left(bulk: Bulk): number {
  return bulk.counts.pending ?? 0;
}

/** Pause, go on, cancel: what its state allows. */
export function Acts({ bulk }: { bulk: Bulk }) {
  const text = useTexts(bulkTexts);
  const confirm = useConfirm();
  const act = useAct(bulk);
  const cancel = async () => {
    const sure = await confirm({
      title: text.cancelTitle,
      consequence: text.cancelConsequence(left(bulk)),
      act: text.cancelAct,
      destructive: true,
    });
    if (sure) act.mutate("cancel");
  };
  const stoppable = ["running", "paused", "canary_done"].includes(bulk.state) || DRAFT.has(bulk.state);
  return (
    <>
      {act.isError && <ProblemBox error={act.error} />}
      {bulk.state === "running" && (
        <Button variant="default" loading={act.isPending} onClick={() => act.mutate("pause")}>
          {text.pause}
        </Button>
      )}
      {bulk.state === "paused" && (
        <Button loading={act.isPending} onClick={() => act.mutate("resume")}>
          {text.resume}
        </Button>
      )}
      {stoppable && (
        <Button color="red" variant="light" loading={act.isPending} onClick={() => void cancel()}>
          {text.cancel}
        </Button>
      )}
    </>
  );
}

/** The first rows have ended: look at them before the others run. */
export function CanaryDone({ bulk }: { bulk: Bulk }) {
  const text = useTexts(bulkTexts);
  const confirm = useConfirm();
  const act = useAct(bulk);
  const failed = (bulk.counts.failed ?? 0) + (bulk.counts.unknown ?? 0);
  const ended = failed + (bulk.counts.succeeded ?? 0);
  const goOn = async () => {
    const sure = await confirm({
      title: text.goOn(left(bulk)),
      consequence: text.goOnConsequence(left(bulk), bulk.function_id),
      act: text.goOn(left(bulk)),
      destructive: failed > 0,
    });
    if (sure) act.mutate("confirm");
  };
  return (
    <Alert color={failed ? "orange" : "blue"} title={text.canary(ended, failed)} role="note">
      <Text>{text.canaryHint(left(bulk))}</Text>
      {act.isError && <ProblemBox error={act.error} />}
      <Button mt="xs" {...(failed && { color: "orange" })} loading={act.isPending} onClick={() => void goOn()}>
        {text.goOn(left(bulk))}
      </Button>
    </Alert>
  );
}

/** A new draft of the rows that failed. */
export function Rerun({ bulk }: { bulk: Bulk }) {
  const text = useTexts(bulkTexts);
  const navigate = useNavigate();
  const [include, setInclude] = useState(false);
  const [failed, unknown] = [bulk.counts.failed ?? 0, bulk.counts.unknown ?? 0];
  const rerun = useMutation({
    mutationFn: () =>
      body(
        api.POST("/api/bulk/{bulk_id}/rerun", {
          params: { path: { bulk_id: bulk.bulk_id } },
          body: { include_unknown: include },
        }),
      ),
    onSuccess: (made) => void navigate({ to: "/bulk/$bulkId", params: { bulkId: made.bulk_id } }),
  });
  const rows = failed + (include ? unknown : 0);
  if (failed + unknown === 0) return null;
  return (
    <>
      {rerun.isError && <ProblemBox error={rerun.error} />}
      <Group gap="sm">
        <Button
          variant="default"
          disabled={rows === 0}
          loading={rerun.isPending}
          title={text.rerunHint}
          onClick={() => rerun.mutate()}
        >
          {text.rerun(rows)}
        </Button>
        {unknown > 0 && (
          <Checkbox
            label={text.rerunUnknown(unknown)}
            checked={include}
            onChange={(event) => setInclude(event.currentTarget.checked)}
          />
        )}
        <Text c="dimmed">{text.rerunHint}</Text>
      </Group>
    </>
  );
}
