import { ActionIcon, Badge, Button, CopyButton, Group, NativeSelect, Text, TextInput } from "@mantine/core";
import { IconArrowDown, IconCheck, IconCopy, IconDownload, IconTextWrap } from "@tabler/icons-react";
import { useState } from "react";
import { download } from "#/components/download";
import { useTexts } from "#/i18n/texts";
import { logTexts, viewTexts } from "../texts";
import { asText, type Level, type LogLine } from "./lines";

interface Props {
  readonly lines: readonly LogLine[];
  readonly shown: number;
  readonly label: string;
  readonly search: string;
  readonly onSearch: (search: string) => void;
  readonly least: Level;
  readonly onLeast: (level: Level) => void;
  readonly wrap: boolean;
  readonly onWrap: (wrap: boolean) => void;
  readonly live: boolean;
  readonly dropped: number;
  readonly toEnd?: () => void;
}

export function LogBar(props: Props) {
  const text = useTexts(logTexts);
  const views = useTexts(viewTexts);
  const { lines, shown, dropped } = props;
  return (
    <Group gap={6} py={4} wrap="wrap">
      <TextInput
        size="xs"
        w={170}
        aria-label={text.search}
        placeholder={text.search}
        value={props.search}
        onChange={(event) => props.onSearch(event.currentTarget.value)}
      />
      <NativeSelect
        size="xs"
        aria-label={text.level}
        value={props.least}
        onChange={(event) => props.onLeast(event.currentTarget.value as Level)}
        data={[
          { value: "debug", label: text.levels.all },
          { value: "info", label: text.levels.info },
          { value: "warn", label: text.levels.warn },
          { value: "error", label: text.levels.error },
        ]}
      />
      <Text c="dimmed">
        {shown === lines.length ? text.lines(lines.length) : text.linesOf(shown, lines.length)}
        {dropped > 0 && `, ${text.dropped(dropped)}`}
      </Text>
      {props.live && (
        <Badge color="green" variant="light">
          {text.live}
        </Badge>
      )}
      <Group gap={4} ms="auto">
        {props.toEnd && (
          <Button
            size="compact-xs"
            variant="light"
            leftSection={<IconArrowDown size={12} aria-hidden />}
            onClick={props.toEnd}
          >
            {text.follow}
          </Button>
        )}
        <ActionIcon
          variant={props.wrap ? "light" : "subtle"}
          aria-pressed={props.wrap}
          aria-label={text.wrap}
          title={text.wrap}
          onClick={() => props.onWrap(!props.wrap)}
        >
          <IconTextWrap size={14} />
        </ActionIcon>
        <CopyLog lines={lines} />
        <ActionIcon
          aria-label={views.download}
          title={views.download}
          onClick={() =>
            download(
              `${props.label.replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 80)}.log`,
              asText(lines),
              "text/plain;charset=utf-8",
            )
          }
        >
          <IconDownload size={14} />
        </ActionIcon>
      </Group>
    </Group>
  );
}

function CopyLog({ lines }: { lines: readonly LogLine[] }) {
  const text = useTexts(viewTexts);
  const [written, setWritten] = useState("");
  return (
    <CopyButton value={written}>
      {({ copied, copy }) => (
        <ActionIcon
          aria-label={copied ? text.copied : text.copy}
          title={text.copy}
          onPointerDown={() => setWritten(asText(lines))}
          onFocus={() => setWritten(asText(lines))}
          onClick={copy}
        >
          {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
        </ActionIcon>
      )}
    </CopyButton>
  );
}
