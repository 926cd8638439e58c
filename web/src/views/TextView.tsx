import { Button, Code } from "@mantine/core";
import { useState } from "react";
import { useTexts } from "#/i18n/texts";
import { asJson } from "./format";
import { LogView } from "./log/LogView";
import { viewTexts } from "./texts";

const LONG = 600;
const PIECE = 20_000;
const AS_LOG = 100_000;

/** A text of any length: its beginning, and all of it when asked for. */
export function LongText({ value, mono = false }: { value: string; mono?: boolean }) {
  const text = useTexts(viewTexts);
  const [shown, setShown] = useState(LONG);
  return (
    <bdi
      style={{
        overflowWrap: "anywhere",
        whiteSpace: "pre-wrap",
        ...(mono && { fontFamily: "var(--mantine-font-family-monospace)" }),
      }}
    >
      {value.slice(0, shown)}
      {value.length > shown && (
        <Button
          variant="subtle"
          size="compact-xs"
          onClick={() => setShown((now) => (now === LONG ? PIECE : now + PIECE))}
        >
          … {text.showAll(value.length)}
        </Button>
      )}
    </bdi>
  );
}

/** A text as it is; a long one line by line, drawn as far as it is scrolled. */
export function TextView({ value, label }: { value: unknown; label: string }) {
  const written = typeof value === "string" ? value : asJson(value, 2);
  if (written.length > AS_LOG)
    return <LogView lines={written.split("\n").map((line) => ({ text: line }))} label={label} follow={false} />;
  return (
    <Code block dir="auto" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
      {written}
    </Code>
  );
}
