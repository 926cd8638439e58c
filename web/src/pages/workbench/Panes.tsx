import { type KeyboardEvent, type PointerEvent, type ReactNode, useState } from "react";
import { useTexts } from "#/i18n/texts";
import { workbenchTexts } from "./texts";

const KEPT_AS = "croupier.panes";
const STEP = 16;
const LEAST = 160;
/** What the pane in the middle keeps. */
const MIDDLE = 340;

interface Widths {
  readonly left: number;
  readonly right: number;
}

function keptWidths(): Widths {
  const [left, right] = (localStorage.getItem(KEPT_AS) ?? "").split(" ").map(Number);
  return { left: left || 210, right: right || Math.round(globalThis.innerWidth * 0.37) };
}

/** A list, what was chosen of it, and what came of that. The width of the list and of the last pane is the operator's. */
export function Panes({ list, children, last }: { list: ReactNode; children: ReactNode; last: ReactNode }) {
  const text = useTexts(workbenchTexts);
  const [widths, setWidths] = useState(keptWidths);
  const change = (side: keyof Widths, width: number) => {
    const other = side === "left" ? widths.right : widths.left;
    const most = Math.max(LEAST, globalThis.innerWidth - other - MIDDLE - 150);
    const changed = { ...widths, [side]: Math.round(Math.min(most, Math.max(LEAST, width))) };
    setWidths(changed);
    localStorage.setItem(KEPT_AS, `${changed.left} ${changed.right}`);
  };
  // In a narrower window than the widths were chosen in, the middle keeps what it needs.
  const side = (width: number) => `minmax(${LEAST}px, ${width}px)`;
  const columns = `${side(widths.left)} 1px minmax(${MIDDLE}px, 1fr) 1px ${side(widths.right)}`;
  return (
    <div className="panes" style={{ gridTemplateColumns: columns }}>
      {list}
      <Divider label={text.listWidth} width={widths.left} onWidth={(width) => change("left", width)} sign={1} />
      {children}
      <Divider label={text.resultWidth} width={widths.right} onWidth={(width) => change("right", width)} sign={-1} />
      {last}
    </div>
  );
}

interface DividerProps {
  readonly label: string;
  readonly width: number;
  readonly onWidth: (width: number) => void;
  /** Whether its pane grows to the right (1) or to the left (-1). */
  readonly sign: 1 | -1;
}

function Divider({ label, width, onWidth, sign }: DividerProps) {
  const drag = (event: PointerEvent<HTMLElement>) => {
    const { currentTarget, clientX } = event;
    currentTarget.setPointerCapture(event.pointerId);
    currentTarget.onpointermove = (moved) => onWidth(width + sign * (moved.clientX - clientX));
    currentTarget.onpointerup = () => {
      currentTarget.onpointermove = null;
    };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    onWidth(width + sign * direction * STEP);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that is moved is no <hr>
    <div
      className="pane-divider"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={LEAST}
      onPointerDown={drag}
      onKeyDown={onKeyDown}
    />
  );
}
