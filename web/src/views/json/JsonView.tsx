import "./json.css";
import { Button, CopyButton, Group } from "@mantine/core";
import { IconCheck, IconCopy, IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { download } from "#/components/download";
import { useTexts } from "#/i18n/texts";
import { asJson } from "../format";
import { viewTexts } from "../texts";
import { Node } from "./Node";
import { opened } from "./tree";

/** A value as a tree that is drawn as far as it is opened, so that its size does not matter. */
export function JsonView({ value, label = "JSON" }: { value: unknown; label?: string }) {
  const text = useTexts(viewTexts);
  const [all, setAll] = useState<boolean | null>(null);
  return (
    <div className="json-view">
      <Group gap={4} justify="flex-end">
        {isNested(value) && (
          <>
            <Button variant="subtle" size="compact-xs" onClick={() => setAll(true)}>
              {text.expandAll}
            </Button>
            <Button variant="subtle" size="compact-xs" onClick={() => setAll(false)}>
              {text.collapseAll}
            </Button>
          </>
        )}
        <CopyJson value={value} />
        <Button
          variant="subtle"
          size="compact-xs"
          leftSection={<IconDownload size={12} aria-hidden />}
          onClick={() =>
            download(
              `${label.replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 80)}.json`,
              asJson(value, 2),
              "application/json",
            )
          }
        >
          {text.download}
        </Button>
      </Group>
      {/* Opening and closing everything begins anew. */}
      <div className="json-tree" key={String(all)}>
        <Node
          value={value}
          name={null}
          open={all === null ? opened(value) : all ? Number.POSITIVE_INFINITY : 0}
          depth={0}
        />
      </div>
    </div>
  );
}

function isNested(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).some((each) => typeof each === "object" && each !== null)
  );
}

function CopyJson({ value }: { value: unknown }) {
  const text = useTexts(viewTexts);
  // Written out on the click alone: a large answer is not turned into text for being looked at.
  const [written, setWritten] = useState("");
  return (
    <CopyButton value={written}>
      {({ copied, copy }) => (
        <Button
          variant="subtle"
          size="compact-xs"
          leftSection={copied ? <IconCheck size={12} aria-hidden /> : <IconCopy size={12} aria-hidden />}
          onPointerDown={() => setWritten(asJson(value, 2))}
          onFocus={() => setWritten(asJson(value, 2))}
          onClick={copy}
        >
          {copied ? text.copied : text.copy}
        </Button>
      )}
    </CopyButton>
  );
}
