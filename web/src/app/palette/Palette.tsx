import { Modal, VisuallyHidden } from "@mantine/core";
import { Spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTexts } from "#/i18n/texts";
import { shellTexts } from "../texts";
import type { Finding } from "./findings";
import { useFindings } from "./useFindings";

interface Props {
  readonly onClose: () => void;
  readonly onSheet: () => void;
}

/** Ctrl+K: to a function, a thing by its id, a page, or a deed, without the mouse. */
export function Palette({ onClose, onSheet }: Props) {
  const text = useTexts(shellTexts);
  const [search, setSearch] = useState("");
  const groups = useFindings(search, onSheet).filter((group) => group.findings.length > 0);
  return (
    <Spotlight.Root
      forceOpened
      query={search}
      onQueryChange={setSearch}
      onSpotlightClose={onClose}
      shortcut={null}
      size={560}
      yOffset={64}
      transitionProps={{ duration: 0 }}
      overlayProps={{ blur: 0, backgroundOpacity: 0.35 }}
    >
      <VisuallyHidden>
        <Modal.Title>{text.palette.title}</Modal.Title>
      </VisuallyHidden>
      <Spotlight.Search
        placeholder={text.search}
        aria-label={text.palette.title}
        leftSection={<IconSearch size={15} aria-hidden />}
        size="sm"
      />
      <Spotlight.ActionsList className="palette-list">
        {groups.map((group) => (
          <Spotlight.ActionsGroup key={group.label} label={group.label}>
            {group.findings.map((finding) => (
              <Action key={finding.key} finding={finding} onClose={onClose} />
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {groups.length === 0 && <Spotlight.Empty>{text.palette.nothing}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function Action({ finding, onClose }: { finding: Finding; onClose: () => void }) {
  return (
    <Spotlight.Action
      className="palette-action"
      closeSpotlightOnTrigger={false}
      onClick={() => {
        onClose();
        finding.go();
      }}
    >
      <span>{finding.label}</span>
      <span className="palette-detail">{finding.detail}</span>
    </Spotlight.Action>
  );
}
