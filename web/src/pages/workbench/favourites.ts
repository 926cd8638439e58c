import { useCallback, useState } from "react";

const MOST_RECENT = 5;

function read(name: string): string[] {
  const found: unknown = JSON.parse(localStorage.getItem(name) ?? "[]");
  return Array.isArray(found) ? found.filter((each): each is string => typeof each === "string") : [];
}

export interface Kept {
  readonly favourites: readonly string[];
  /** The last first. */
  readonly recent: readonly string[];
  readonly toggle: (id: string) => void;
}

/** The functions that somebody marked in this browser, and those opened last, of one game. */
export function useFavourites(game: string): Kept {
  const [version, setVersion] = useState(0);
  const toggle = useCallback(
    (id: string) => {
      const kept = read(favouritesOf(game));
      const changed = kept.includes(id) ? kept.filter((each) => each !== id) : [...kept, id];
      localStorage.setItem(favouritesOf(game), JSON.stringify(changed));
      setVersion((now) => now + 1);
    },
    [game],
  );
  // Read anew with each change; another tab's changes are seen with the next one here.
  void version;
  return { favourites: read(favouritesOf(game)), recent: read(recentOf(game)), toggle };
}

export function rememberOpened(game: string, id: string): void {
  const recent = [id, ...read(recentOf(game)).filter((each) => each !== id)].slice(0, MOST_RECENT);
  localStorage.setItem(recentOf(game), JSON.stringify(recent));
}

function favouritesOf(game: string): string {
  return `croupier.favourites.${game}`;
}

function recentOf(game: string): string {
  return `croupier.recent.${game}`;
}
