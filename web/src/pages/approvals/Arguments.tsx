import { useQuery } from "@tanstack/react-query";
import { isObject } from "#/forms/nodes";
import { functionQuery } from "#/functions/functions";
import { useTexts } from "#/i18n/texts";
import { FormEditor } from "#/schema-form";
import { Facts, JsonView } from "#/views";
import type { Document } from "./queries";
import { approvalTexts } from "./texts";

/** What would be sent, in the form as the requester saw it; sensitive values are masked by the server. */
export function Arguments({ approval }: { approval: Document }) {
  const { params, ui } = approval.description;
  const known = useQuery(functionQuery(approval.game_id, approval.env, approval.function_id));
  if (approval.kind === "bulk" && isObject(approval.payload)) return <BulkPlan plan={approval.payload} />;
  if (typeof params !== "object") return <JsonView value={approval.payload} />;
  // A form that lies in a file of its own lends its labels and nothing else: what is shown is what would be sent.
  const look = isObject(ui) && isObject(ui.fields) ? ui : labelsOf(known.data?.uischema);
  return <FormEditor schema={params} ui={look} value={approval.payload} readOnly />;
}

function labelsOf(ui: unknown): { fields: Record<string, unknown> } {
  const fields = isObject(ui) && isObject(ui.fields) ? ui.fields : {};
  const labels = Object.entries(fields).map(([name, field]) => [name, isObject(field) ? { label: field.label } : {}]);
  return { fields: Object.fromEntries(labels) };
}

/** Of a bulk run it is the file, its rows and how they run. */
function BulkPlan({ plan: file }: { plan: Readonly<Record<string, unknown>> }) {
  const { bulk: text } = useTexts(approvalTexts);
  const plan = isObject(file.plan) ? file.plan : {};
  const number = (value: unknown) => (typeof value === "number" ? value : null);
  return (
    <Facts
      facts={[
        [text.file, String(file.name ?? "")],
        [text.rows, number(file.rows)],
        [text.invalid, number(file.invalid) ? text.left(Number(file.invalid)) : null],
        [text.canary, number(plan.canary) || null],
        [text.rate, number(plan.rate)],
        [text.concurrency, number(plan.concurrency)],
        [text.dryRun, file.dry_run === true && text.yes],
        [text.sha, <code key="sha">{String(file.sha256 ?? "")}</code>],
      ]}
    />
  );
}
