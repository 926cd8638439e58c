import "./log.css";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useTexts } from "#/i18n/texts";
import { logTexts } from "../texts";
import { LogBar } from "./LogBar";
import { clock, found, type Level, type LogLine, levelOf } from "./lines";

export type { LogLine } from "./lines";

interface Props {
  readonly lines: readonly LogLine[];
  readonly label: string;
  /** Whether its end is kept in sight as it grows. */
  readonly follow?: boolean;
  /** Whether more may come. */
  readonly live?: boolean;
  /** Lines before the first that are not kept any more. */
  readonly dropped?: number;
  readonly height?: number;
}

const LINE = 17;
const OVERSCAN = 20;
const SHOWN = 4_000;
const NEAR = 24;

/** A log of a hundred thousand lines: follows its end until it is scrolled up, is searched, copied, saved. */
export function LogView({ lines, label, follow = true, live = false, dropped = 0, height = 320 }: Props) {
  const text = useTexts(logTexts);
  const [search, setSearch] = useState("");
  const [least, setLeast] = useState<Level>("debug");
  const [wrap, setWrap] = useState(false);
  const wanted = useDeferredValue(search);
  const places = useMemo(() => found(lines, wanted, least), [lines, wanted, least]);
  const count = places?.length ?? lines.length;
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => frame.current,
    estimateSize: () => LINE,
    overscan: OVERSCAN,
  });
  const { following, onScroll, toEnd } = useFollowing(frame.current, follow, count, () =>
    virtual.scrollToIndex(count - 1, { align: "end" }),
  );
  return (
    <div className="log" data-wrap={wrap || undefined}>
      <LogBar
        lines={lines}
        shown={count}
        label={label}
        search={search}
        onSearch={setSearch}
        least={least}
        onLeast={setLeast}
        wrap={wrap}
        onWrap={setWrap}
        live={live}
        dropped={dropped}
        {...(follow && !following && { toEnd })}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by the keyboard too */}
      <section ref={frame} className="log-frame" style={{ height }} tabIndex={0} aria-label={label} onScroll={onScroll}>
        {count === 0 && <div className="log-empty">{lines.length ? text.none : text.empty}</div>}
        <div className="log-body" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, key }) => {
            const line = lines[places ? (places[index] ?? -1) : index];
            if (!line) return null;
            return (
              <div
                key={key}
                data-index={index}
                ref={wrap ? virtual.measureElement : undefined}
                className="log-line"
                data-level={levelOf(line)}
                style={{ transform: `translateY(${start}px)` }}
              >
                {line.at !== undefined && <span className="log-time">{clock(line.at)} </span>}
                <bdi>
                  <Marked text={line.text.slice(0, SHOWN)} search={wanted} />
                </bdi>
              </div>
            );
          })}
        </div>
      </section>
    </div>
  );
}

/** Keeps the end in sight until somebody scrolls up; at the end again, it goes on. */
function useFollowing(frame: HTMLElement | null, wanted: boolean, count: number, show: () => void) {
  const [following, setFollowing] = useState(wanted);
  const latest = useRef(show);
  useEffect(() => {
    latest.current = show;
  });
  useEffect(() => {
    if (following && count > 0) latest.current();
  }, [following, count]);
  const last = useRef(0);
  const onScroll = () => {
    if (!frame) return;
    const { scrollTop, scrollHeight, clientHeight } = frame;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    // Growing moves nothing; only going up is somebody's wish to look.
    if (atEnd) setFollowing(wanted);
    else if (scrollTop < last.current) setFollowing(false);
    last.current = scrollTop;
  };
  return { following, onScroll, toEnd: () => setFollowing(true) };
}

function Marked({ text, search }: { text: string; search: string }) {
  if (!search) return text;
  const at = text.toLowerCase().indexOf(search.toLowerCase());
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + search.length)}</mark>
      {text.slice(at + search.length)}
    </>
  );
}
