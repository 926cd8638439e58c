import { UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTexts } from "#/i18n/texts";
import { viewTexts } from "../texts";
import { type Entry, entries, GROUP, OPEN_AT_MOST, SHORT } from "./tree";

interface Props {
  readonly value: unknown;
  readonly name: string | number | null;
  /** So many levels are open. */
  readonly open: number;
  readonly depth: number;
}

export function Node({ value, name, open, depth }: Props) {
  const inside = entries(value);
  if (inside === null) {
    return (
      <div className="json-line">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    );
  }
  const brackets = Array.isArray(value) ? "[]" : "{}";
  if (inside.length === 0) {
    return (
      <div className="json-line">
        <Name name={name} />
        <span className="json-null">{brackets}</span>
      </div>
    );
  }
  return <Branch inside={inside} brackets={brackets} name={name} open={open} depth={depth} />;
}

interface BranchProps extends Omit<Props, "value"> {
  readonly inside: readonly Entry[];
  readonly brackets: string;
}

function Branch({ inside, brackets, name, open, depth }: BranchProps) {
  const text = useTexts(viewTexts);
  const [isOpen, setOpen] = useState(open > 0 && depth < OPEN_AT_MOST);
  const size = brackets === "[]" ? text.items(inside.length) : text.keys(inside.length);
  return (
    <div>
      <UnstyledButton className="json-line json-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span aria-hidden>{isOpen ? "▾" : "▸"}</span> <Name name={name} />
        <span className="json-size">
          {brackets[0]}
          {isOpen ? "" : ` … ${brackets[1]}`} {size}
        </span>
      </UnstyledButton>
      {isOpen && (
        <div className="json-inside">
          <Inside inside={inside} open={open - 1} depth={depth + 1} />
        </div>
      )}
    </div>
  );
}

/** A hundred at a time: a list of a million is opened as quickly as one of ten. */
function Inside({ inside, open, depth }: { inside: readonly Entry[]; open: number; depth: number }) {
  const text = useTexts(viewTexts);
  const [shown, setShown] = useState(GROUP);
  return (
    <>
      {inside.slice(0, shown).map(([name, value]) => (
        <Node key={name} name={name} value={value} open={open} depth={depth} />
      ))}
      {inside.length > shown && (
        <UnstyledButton className="json-line json-more" onClick={() => setShown(shown + GROUP)}>
          … {text.more(inside.length - shown)}
        </UnstyledButton>
      )}
    </>
  );
}

function Name({ name }: { name: string | number | null }) {
  if (name === null) return null;
  const shown = typeof name === "number" ? name : name.slice(0, SHORT);
  return (
    <>
      <span className={typeof name === "number" ? "json-index" : "json-name"}>{shown}</span>
      <span className="json-colon">: </span>
    </>
  );
}

function Leaf({ value }: { value: unknown }) {
  if (typeof value === "string") return <Text value={value} />;
  if (value === null || value === undefined) return <span className="json-null">null</span>;
  return <span className={typeof value === "boolean" ? "json-boolean" : "json-number"}>{String(value)}</span>;
}

const PIECE = 20_000;

function Text({ value }: { value: string }) {
  const text = useTexts(viewTexts);
  const [shown, setShown] = useState(SHORT);
  return (
    <span className="json-text">
      <bdi>{JSON.stringify(value.slice(0, shown)).slice(0, value.length > shown ? -1 : undefined)}</bdi>
      {value.length > shown && (
        <UnstyledButton className="json-more" onClick={() => setShown(shown === SHORT ? PIECE : shown + PIECE)}>
          … {text.showAll(value.length)}
        </UnstyledButton>
      )}
    </span>
  );
}
