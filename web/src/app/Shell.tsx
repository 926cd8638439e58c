import { useSuspenseQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { meQuery } from "#/api/session";
import { useTexts } from "#/i18n/texts";
import { Header } from "./Header";
import { loadWhenIdle } from "./idle";
import { useControlKey, usePageKeys } from "./keys";
import { useLiveSession } from "./liveSession";
import { NavigationBar, useNavigation } from "./NavigationBar";
import { useProduction } from "./production";
import { StaleTab } from "./StaleTab";
import { StatusBar } from "./StatusBar";
import { useKeptScope, useScope } from "./scope";
import { shellTexts } from "./texts";

const loadPalette = () => import("./palette/Palette");
const Palette = lazy(() => loadPalette().then((module) => ({ default: module.Palette })));
const ShortcutSheet = lazy(() => import("./ShortcutSheet").then((module) => ({ default: module.ShortcutSheet })));

/** In ms. */
const FIRST_GAME_ASKED = 2_000;

type Front = "palette" | "sheet" | null;

/** Header, navigation, status bar, and the page in the middle. */
export function Shell() {
  const text = useTexts(shellTexts);
  const scope = useScope();
  // On a new installation no agent may have come yet: without a game there is no stream that would tell of the first.
  const { data: me } = useSuspenseQuery({
    ...meQuery,
    refetchInterval: ({ state }) => (state.data?.games.length === 0 ? FIRST_GAME_ASKED : false),
  });
  const first = me?.games[0];
  useKeptScope(scope, first && { game: first.game_id, env: first.envs[0]?.env ?? "" });
  useLiveSession(Boolean(me));
  const [front, setFront] = useState<Front>(null);
  useShellKeys(setFront);
  // Whoever presses Ctrl+K types at once: no letter may be lost to the loading of it.
  useEffect(() => loadWhenIdle(loadPalette), []);
  const close = () => setFront(null);
  return (
    <div className="shell" data-production={useProduction() || undefined}>
      <a className="skip" href="#page">
        {text.skip}
      </a>
      <Header onSearch={() => setFront("palette")} />
      <NavigationBar />
      <main className="shell-main" id="page" tabIndex={-1}>
        <Outlet />
      </main>
      <StatusBar onSheet={() => setFront("sheet")} />
      <StaleTab />
      <Suspense>
        {front === "palette" && <Palette onClose={close} onSheet={() => setFront("sheet")} />}
        {front === "sheet" && <ShortcutSheet opened onClose={close} />}
      </Suspense>
    </div>
  );
}

function useShellKeys(show: (front: Front) => void): void {
  const items = useNavigation();
  const navigate = useNavigate();
  useControlKey("k", () => show("palette"));
  usePageKeys((key) => {
    if (key === "?") {
      show("sheet");
      return true;
    }
    const item = items.find((each) => key === `g ${each.key}`);
    if (item) void navigate({ to: item.to });
    return Boolean(item);
  });
}
