import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, body } from "#/api/client";
import { meQuery } from "#/api/session";
import { type FunctionEntry, functionsQuery, nameOf } from "#/functions/functions";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useFavourites } from "#/pages/workbench/favourites";
import { useSignOut } from "../AccountMenu";
import { useOtherTheme } from "../Header";
import { useNavigation } from "../NavigationBar";
import { useChangePage, useScope } from "../scope";
import { shellTexts } from "../texts";
import { type Finding, functionsFound, kindsOfId } from "./findings";

export interface FindingGroup {
  readonly label: string;
  readonly findings: readonly Finding[];
}

const MOST_KINDS = 6;

export function useFindings(search: string, onSheet: () => void): readonly FindingGroup[] {
  const { palette } = useTexts(shellTexts);
  const sought = search.trim().toLowerCase();
  const fits = (finding: Finding) => `${finding.label} ${finding.detail}`.toLowerCase().includes(sought);
  const acts = useActs(onSheet).filter(fits);
  return [
    { label: palette.functions, findings: useFunctions(search) },
    { label: palette.objects, findings: useThings(search) },
    { label: palette.go, findings: usePages().filter(fits) },
    { label: palette.acts, findings: acts },
  ];
}

function useFunctions(search: string): Finding[] {
  const language = useLanguage();
  const { game, env } = useScope();
  const navigate = useNavigate();
  const { data: entries = [] } = useQuery(functionsQuery(game, env));
  const { favourites, recent } = useFavourites(game);
  const used = search.trim() ? [] : [...favourites, ...recent];
  return functionsFound(lately(entries, used), search, language).map((entry) => ({
    key: `function ${entry.id}`,
    label: nameOf(entry, language),
    detail: entry.id,
    go: () => void navigate({ to: `/f/${encodeURIComponent(entry.id)}` }),
  }));
}

function lately(entries: readonly FunctionEntry[], used: readonly string[]): readonly FunctionEntry[] {
  const place = (entry: FunctionEntry) =>
    (used.indexOf(entry.id) + 1 || used.length + 1) + Number(entry.total === 0) * used.length;
  return used.length ? entries.toSorted((a, b) => place(a) - place(b)) : entries;
}

/** A call, a job, or an object of any kind, by its id. */
function useThings(search: string): Finding[] {
  const { palette } = useTexts(shellTexts);
  const language = useLanguage();
  const { game, env } = useScope();
  const navigate = useNavigate();
  const kinds = kindsOfId(search);
  const { data } = useQuery({
    queryKey: ["entities", game, env],
    queryFn: ({ signal }) => body(api.GET("/api/entities", { signal })),
    staleTime: 300_000,
  });
  const id = search.trim();
  const there = (path: string) => () => void navigate({ to: `${path}/${encodeURIComponent(id)}` });
  const found: Finding[] = [];
  if (kinds.call) found.push({ key: "call", label: palette.call(id), detail: "", go: there("/calls") });
  if (kinds.job) found.push({ key: "job", label: palette.job(id), detail: "", go: there("/jobs") });
  if (!kinds.object || kinds.call || kinds.job) return found;
  for (const entity of data?.entities.slice(0, MOST_KINDS) ?? []) {
    const kind = inLanguage(entity.title, language, entity.id);
    const go = there(`/entities/${encodeURIComponent(entity.id)}`);
    found.push({ key: `entity ${entity.id}`, label: palette.object(kind, id), detail: entity.id, go });
  }
  return found;
}

function usePages(): Finding[] {
  const text = useTexts(shellTexts);
  const navigate = useNavigate();
  return useNavigation().map((item) => ({
    key: `page ${item.to}`,
    label: text.pages[item.label],
    detail: `g ${item.key}`,
    go: () => void navigate({ to: item.to }),
  }));
}

function useActs(onSheet: () => void): Finding[] {
  const text = useTexts(shellTexts);
  const language = useLanguage();
  const change = useChangePage();
  const theme = useOtherTheme();
  const signOut = useSignOut();
  const { data: me } = useSuspenseQuery(meQuery);
  const acts: Finding[] = [
    { key: "theme", label: text.palette[theme.other], detail: text.theme, go: theme.change },
    {
      key: "language",
      label: text.palette.otherLanguage,
      detail: text.language,
      go: () => change({ lang: language === "en" ? "zh" : "en" }),
    },
    { key: "sheet", label: text.palette.shortcuts, detail: "?", go: onSheet },
  ];
  if (me?.user) acts.push({ key: "sign out", label: text.signOut, detail: me.name, go: () => void signOut() });
  return acts;
}
