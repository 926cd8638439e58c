import { Code } from "@mantine/core";
import type { Document } from "./queries";

/** What would be sent, as the requester filled it in; sensitive values are masked by the server. */
export function Arguments({ approval }: { approval: Document }) {
  return (
    <Code block style={{ maxHeight: 480, overflow: "auto", overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
      {JSON.stringify(approval.payload, null, 2)}
    </Code>
  );
}
