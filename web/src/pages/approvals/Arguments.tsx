import { FormEditor } from "#/schema-form";
import { JsonView } from "#/views";
import type { Document } from "./queries";

/** What would be sent, in the form as the requester saw it; sensitive values are masked by the server. */
export function Arguments({ approval }: { approval: Document }) {
  const { params, ui } = approval.description;
  // Of a bulk run it is the file, its rows and the plan, which no form describes.
  if (approval.kind === "bulk" || typeof params !== "object") return <JsonView value={approval.payload} />;
  return <FormEditor schema={params} ui={ui} value={approval.payload} readOnly />;
}
