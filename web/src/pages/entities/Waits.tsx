import { Alert, Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTexts } from "#/i18n/texts";
import { entityTexts } from "./texts";

/** Even a query may need somebody else's word. */
export function Waits({ approval }: { approval: string }) {
  const text = useTexts(entityTexts);
  return (
    <Alert color="yellow" title={text.waits} role="status">
      <Anchor component={Link} to={`/approvals/${encodeURIComponent(approval)}`}>
        {text.waitsLink}
      </Anchor>
    </Alert>
  );
}
