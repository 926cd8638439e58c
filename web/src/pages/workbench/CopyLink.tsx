import { Button } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconLink } from "@tabler/icons-react";
import { useTexts } from "#/i18n/texts";
import { workbenchTexts } from "./texts";

/** The address of the moment: game, environment, function and what is typed, where that may stand in one. */
export function CopyLink() {
  const text = useTexts(workbenchTexts);
  const { copied, copy, error } = useClipboard({ timeout: 1_500 });
  return (
    <Button
      variant="default"
      leftSection={copied ? <IconCheck size={14} /> : <IconLink size={14} />}
      onClick={() => copy(globalThis.location.href)}
    >
      {error ? text.copyByHand : copied ? text.copied : text.copyLink}
    </Button>
  );
}
