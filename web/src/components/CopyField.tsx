import { ActionIcon, Code, CopyButton, Group, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTexts } from "#/i18n/texts";
import { commonTexts } from "./texts";

/** A value to take along: an id, a link, a secret that is shown once. */
export function CopyField({ value, label }: { value: string; label: string }) {
  const text = useTexts(commonTexts);
  return (
    <Group gap={4} wrap="nowrap">
      <Code style={{ overflowWrap: "anywhere", userSelect: "all" }} aria-label={label}>
        {value}
      </Code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? text.copied : text.copy}>
            <ActionIcon onClick={copy} aria-label={`${text.copy}: ${label}`}>
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
