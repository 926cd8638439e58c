import { Button, FileButton, Group, SegmentedControl, Stack, Text, Textarea } from "@mantine/core";
import { type DragEvent, useState } from "react";
import { useLocale, useTexts } from "#/i18n/texts";
import { bytes } from "#/views";
import { type Format, formatOf } from "./queries";
import { bulkTexts } from "./texts";

export interface Given {
  readonly file: File | null;
  readonly pasted: string;
  readonly format: Format;
  readonly tooLarge: boolean;
}

export const NOTHING_GIVEN: Given = { file: null, pasted: "", format: "csv", tooLarge: false };

const LARGEST = 64 * 1024 * 1024;
const LOOK = 1_000;

/** A file dropped or chosen, or rows pasted; what they are written in is seen by itself. */
export function FileField({ given, onChange }: { given: Given; onChange: (given: Given) => void }) {
  const text = useTexts(bulkTexts);
  const locale = useLocale();
  const [over, setOver] = useState(false);
  const take = async (file: File | null) => {
    if (!file) return;
    const format = formatOf(file.name, await file.slice(0, LOOK).text());
    onChange({ file, pasted: "", format, tooLarge: file.size > LARGEST });
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0] ?? null);
  };
  return (
    <Stack gap={6}>
      <fieldset
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
        style={{
          border: `1px dashed var(--mantine-${over ? "primary-color-filled" : "color-gray-6"})`,
          borderRadius: 4,
          padding: 12,
          margin: 0,
        }}
      >
        <legend style={{ padding: "0 4px" }}>{text.new.file}</legend>
        <Group gap="xs">
          <Text>{text.new.drop}</Text>
          <FileButton
            onChange={(file) => void take(file)}
            accept=".csv,.txt,.jsonl,.ndjson,.json,text/csv,application/x-ndjson"
          >
            {(props) => (
              <Button {...props} variant="default">
                {text.new.choose}
              </Button>
            )}
          </FileButton>
          <Text c="dimmed">{text.new.fileHint}</Text>
        </Group>
        <Text aria-live="polite" mt={4} fw={600} style={{ overflowWrap: "anywhere" }}>
          {given.file && `${given.file.name} · ${bytes(given.file.size, locale)}`}
        </Text>
        {given.tooLarge && (
          <Text c="red" role="alert">
            {text.new.tooLarge}
          </Text>
        )}
      </fieldset>
      {!given.file && (
        <Textarea
          label={text.new.paste}
          value={given.pasted}
          onChange={(event) => {
            const pasted = event.currentTarget.value;
            onChange({ file: null, pasted, format: formatOf("", pasted), tooLarge: pasted.length > LARGEST });
          }}
          minRows={6}
          maxRows={16}
          autosize
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        />
      )}
      <Group gap="xs">
        <SegmentedControl
          aria-label={text.new.format}
          value={given.format}
          onChange={(format) => onChange({ ...given, format: format as Format })}
          data={[
            { value: "csv", label: text.new.formats.csv },
            { value: "jsonl", label: text.new.formats.jsonl },
          ]}
        />
        {given.file && (
          <Button variant="subtle" onClick={() => onChange(NOTHING_GIVEN)}>
            {text.new.paste}
          </Button>
        )}
      </Group>
    </Stack>
  );
}
