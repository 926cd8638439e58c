import { ActionIcon, TextInput } from "@mantine/core";
import { IconAlertCircle, IconLock, IconStar, IconStarFilled } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { usePageKeys } from "#/app/keys";
import { useScope } from "#/app/scope";
import { HealthDot } from "#/components/badges";
import { EmptyState } from "#/components/EmptyState";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { type FunctionEntry, functionQuery, functionsQuery, nameOf } from "#/functions/functions";
import { useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { type Kept, useFavourites } from "./favourites";
import { type ListRow, listRows } from "./listRows";
import { categoryTexts, workbenchTexts } from "./texts";

const ROW = 24;

/** The functions of the scope, grouped, searched, with how they are. */
export function FunctionList() {
  const text = useTexts(workbenchTexts);
  const { game, env } = useScope();
  const found = useQuery(functionsQuery(game, env));
  useInvalidateOn("registry", ["functions", game, env]);
  useInvalidateOn("catalog", ["functions", game, env]);
  return (
    <nav className="pane function-list" aria-label={text.functions}>
      {found.data ? (
        <Found entries={found.data} game={game} />
      ) : found.error ? (
        <ProblemBox error={found.error} again={() => void found.refetch()} />
      ) : game && env ? (
        <Waiting rows={12} />
      ) : (
        <EmptyState title={text.noScope} hint={text.noScopeHint} />
      )}
    </nav>
  );
}

function Found({ entries, game }: { entries: readonly FunctionEntry[]; game: string }) {
  const text = useTexts(workbenchTexts);
  const [search, setSearch] = useState("");
  const [active, setActive] = useState(-1);
  const kept = useFavourites(game);
  const rows = useRows(entries, search, kept);
  const input = useRef<HTMLInputElement>(null);
  const open = useOpen();
  const move = (by: 1 | -1) => setActive((now) => nextFunction(rows, now, by));
  usePageKeys((key) => {
    if (key === "/") input.current?.focus();
    else if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "Enter" && active >= 0 && document.activeElement === document.body) open(rows[active]);
    else return false;
    return true;
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter") open(rows[active] ?? rows[nextFunction(rows, -1, 1)]);
    else if (event.key === "Escape") input.current?.blur();
    else return;
    event.preventDefault();
  };
  return (
    <>
      <TextInput
        ref={input}
        type="search"
        m={8}
        placeholder={`/ ${text.functions}`}
        aria-label={text.searchFunctions}
        value={search}
        onChange={(event) => {
          setSearch(event.currentTarget.value);
          setActive(-1);
        }}
        onKeyDown={onKeyDown}
      />
      {rows.length === 0 ? (
        <EmptyState
          title={entries.length ? text.nothingFound : text.noFunctions}
          hint={entries.length ? text.nothingFoundHint : text.noFunctionsHint}
        />
      ) : (
        <Rows rows={rows} active={active} kept={kept} />
      )}
    </>
  );
}

function useRows(entries: readonly FunctionEntry[], search: string, kept: Kept): ListRow[] {
  const text = useTexts(workbenchTexts);
  const names: Record<string, string> = useTexts(categoryTexts);
  const language = useLanguage();
  const [favourites, recent] = [kept.favourites.join("\n"), kept.recent.join("\n")];
  return useMemo(
    () =>
      listRows(entries, {
        search,
        favourites: favourites.split("\n"),
        recent: recent.split("\n"),
        language,
        labels: text.groups,
        category: (name) => names[name.toLowerCase()] ?? name,
      }),
    [entries, search, favourites, recent, language, text, names],
  );
}

function useOpen(): (row: ListRow | undefined) => void {
  const navigate = useNavigate();
  return (row) => {
    if (row?.kind === "function") void navigate({ to: "/f/$fn", params: { fn: row.entry.id } });
  };
}

/** The next row that is a function; at the end it stays. */
function nextFunction(rows: readonly ListRow[], from: number, by: 1 | -1): number {
  for (let at = from + by; at >= 0 && at < rows.length; at += by) if (rows[at]?.kind === "function") return at;
  return from;
}

function Rows({ rows, active, kept }: { rows: readonly ListRow[]; active: number; kept: Kept }) {
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const shown = useRef(active);
  if (shown.current !== active) {
    shown.current = active;
    if (active >= 0) virtual.scrollToIndex(active);
  }
  return (
    <div ref={frame} className="function-rows">
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return (
            row && (
              <div key={row.key} className="function-row" style={{ transform: `translateY(${start}px)` }}>
                {row.kind === "group" ? (
                  <h2 className="function-group">{row.label}</h2>
                ) : (
                  <Item entry={row.entry} active={index === active} kept={kept} />
                )}
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

function Item({ entry, active, kept }: { entry: FunctionEntry; active: boolean; kept: Kept }) {
  const text = useTexts(workbenchTexts);
  const language = useLanguage();
  const { game, env } = useScope();
  const queries = useQueryClient();
  const { fn } = useParams({ strict: false });
  const name = nameOf(entry, language);
  const marked = kept.favourites.includes(entry.id);
  const health = entry.enabled ? text.health(entry.healthy, entry.total) : text.disabled;
  return (
    <>
      <Link
        to="/f/$fn"
        params={{ fn: entry.id }}
        className="function-link"
        data-active={active || undefined}
        aria-current={fn === entry.id ? "page" : undefined}
        title={`${name}\n${entry.id}\n${health}`}
        onMouseEnter={() => void queries.prefetchQuery(functionQuery(game, env, entry.id))}
      >
        <HealthDot healthy={entry.enabled ? entry.healthy : 0} total={entry.total} label={health} />
        <span className="function-name">{name}</span>
        {!entry.may && <IconLock size={12} role="img" aria-label={text.mayNot} />}
        {entry.returns === "job" && <span className="function-mark">{text.job}</span>}
        {entry.risk === "high" || entry.risk === "critical" ? (
          <IconAlertCircle size={14} className="function-risk" role="img" aria-label={text.highRisk} />
        ) : null}
      </Link>
      <ActionIcon
        className="function-star"
        data-marked={marked || undefined}
        size={18}
        onClick={() => kept.toggle(entry.id)}
        aria-pressed={marked}
        aria-label={text.favourite(name)}
      >
        {marked ? <IconStarFilled size={12} /> : <IconStar size={12} />}
      </ActionIcon>
    </>
  );
}
