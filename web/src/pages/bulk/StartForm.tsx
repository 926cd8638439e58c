import { Alert, Button, Checkbox, Group, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, body } from "#/api/client";
import { useConfirm } from "#/components/Confirm";
import { ProblemBox } from "#/components/ProblemBox";
import { useLocale, useTexts } from "#/i18n/texts";
import { functionQuery } from "#/pages/calls/queries";
import { duration } from "#/views";
import { type Bulk, type Start, shortest } from "./queries";
import { bulkTexts } from "./texts";

interface Plan {
  readonly canary: number;
  readonly rate: number;
  readonly concurrency: number;
  readonly skip: boolean;
  readonly reason: string;
  readonly ticket: string;
}

const FIRST: Plan = { canary: 10, rate: 50, concurrency: 8, skip: false, reason: "", ticket: "" };

/** What the check found, and how the rows will run. */
export function StartForm({ bulk, waiting }: { bulk: Bulk; waiting: boolean }) {
  const text = useTexts(bulkTexts);
  const locale = useLocale();
  const confirm = useConfirm();
  const [plan, setPlan] = useState<Plan>({ ...FIRST, canary: bulk.valid > FIRST.canary ? FIRST.canary : 0 });
  const known = useQuery(functionQuery(bulk.function_id));
  const { start, dryRun } = useStart(bulk, plan);
  const set = (change: Partial<Plan>) => setPlan((now) => ({ ...now, ...change }));
  const canary = plan.canary > 0 && plan.canary < bulk.valid ? plan.canary : 0;
  const act = canary ? text.start.goCanary(canary) : text.start.go(bulk.valid);
  const ask = async () => {
    const time = duration(shortest(bulk.valid, plan.rate), locale);
    const sure = await confirm({
      title: text.start.ask(bulk.function_id, `${bulk.game_id} / ${bulk.env}`),
      consequence: (
        <>
          <Text>
            {canary ? text.start.consequenceCanary(canary, bulk.valid) : text.start.consequence(bulk.valid, time)}
          </Text>
          {bulk.invalid > 0 && <Text>{text.start.left(bulk.invalid)}</Text>}
        </>
      ),
      act,
      destructive: known.data?.risk === "high" || known.data?.risk === "critical",
    });
    if (sure) start.mutate();
  };
  if (bulk.valid === 0)
    return (
      <Alert color="red" title={text.nothingValid}>
        {text.invalidHint}
      </Alert>
    );
  return (
    <Stack gap="sm">
      <Alert color={bulk.invalid ? "orange" : "green"} title={text.validRows(bulk.valid, bulk.invalid)} role="note">
        {bulk.invalid > 0 && text.invalidHint}
      </Alert>
      {!waiting && (
        <>
          <PlanFields bulk={bulk} plan={plan} set={set} />
          {start.isError && <ProblemBox error={start.error} />}
          {dryRun.isError && <ProblemBox error={dryRun.error} />}
          <Group gap="xs">
            <Button onClick={() => void ask()} disabled={bulk.invalid > 0 && !plan.skip} loading={start.isPending}>
              {act}
            </Button>
            {Boolean(known.data?.semantics.dry_run) && !bulk.dry_run && (
              <Button
                variant="default"
                title={text.start.dryRunHint}
                disabled={bulk.invalid > 0 && !plan.skip}
                loading={dryRun.isPending}
                onClick={() => dryRun.mutate()}
              >
                {text.start.dryRun}
              </Button>
            )}
          </Group>
        </>
      )}
    </Stack>
  );
}

interface FieldsProps {
  readonly bulk: Bulk;
  readonly plan: Plan;
  readonly set: (change: Partial<Plan>) => void;
}

function PlanFields({ bulk, plan, set }: FieldsProps) {
  const text = useTexts(bulkTexts);
  const number = (name: "canary" | "rate" | "concurrency", min: number, max: number) => ({
    value: plan[name],
    min,
    max,
    clampBehavior: "strict" as const,
    onChange: (value: string | number) => set({ [name]: Number(value) || min }),
  });
  return (
    <>
      <Group gap="sm" align="flex-start">
        <NumberInput
          w={160}
          label={text.start.canary}
          description={text.start.canaryHint}
          {...number("canary", 0, bulk.valid)}
          allowDecimal={false}
          inputWrapperOrder={ORDER}
        />
        <NumberInput w={130} label={text.start.rate} {...number("rate", 0.01, 1_000)} inputWrapperOrder={ORDER} />
        <NumberInput
          w={130}
          label={text.start.concurrency}
          {...number("concurrency", 1, 64)}
          allowDecimal={false}
          inputWrapperOrder={ORDER}
        />
      </Group>
      <Group gap="sm">
        <TextInput
          w={300}
          label={text.start.reason}
          value={plan.reason}
          onChange={(event) => set({ reason: event.currentTarget.value })}
        />
        <TextInput
          w={130}
          label={text.start.ticket}
          value={plan.ticket}
          onChange={(event) => set({ ticket: event.currentTarget.value })}
        />
      </Group>
      {bulk.invalid > 0 && (
        <Checkbox
          label={text.start.skip(bulk.invalid)}
          checked={plan.skip}
          onChange={(event) => set({ skip: event.currentTarget.checked })}
        />
      )}
    </>
  );
}

const ORDER: ("label" | "input" | "description" | "error")[] = ["label", "input", "description", "error"];

/** Starts the very rows that were looked at: a file that changed since is refused by its digest. */
function useStart(bulk: Bulk, plan: Plan) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const send = async (dry: boolean) => {
    const order: Start = {
      canary: dry ? 0 : plan.canary,
      rate: plan.rate,
      concurrency: plan.concurrency,
      skip_invalid: plan.skip,
      expected_sha256: bulk.sha256,
      dry_run: dry,
      reason: plan.reason,
      ticket: plan.ticket,
    };
    const path = { bulk_id: bulk.bulk_id };
    return await body(api.POST("/api/bulk/{bulk_id}/start", { params: { path }, body: order }));
  };
  const onSettled = () => queries.invalidateQueries({ queryKey: ["bulk"] });
  const start = useMutation({ mutationFn: () => send(false), onSettled });
  const dryRun = useMutation({
    mutationFn: () => send(true),
    onSettled,
    onSuccess: (made) => {
      if ("bulk_id" in made) void navigate({ to: "/bulk/$bulkId", params: { bulkId: made.bulk_id } });
    },
  });
  return { start, dryRun };
}
