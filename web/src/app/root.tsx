import { createRootRoute, createRoute, Outlet, retainSearchParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { ConfirmProvider } from "#/components/Confirm";
import { ErrorPage, NotFoundPage } from "#/components/ErrorPage";
import { LOCALE } from "#/i18n/language";
import { LanguageProvider } from "#/i18n/texts";
import { SessionGate } from "./SessionGate";
import { Shell } from "./Shell";
import { readPageSearch, usePageLanguage, useScope } from "./scope";

function Root() {
  const language = usePageLanguage();
  // Before anything is asked, so that the first question already names it.
  useScope();
  useEffect(() => {
    document.documentElement.lang = LOCALE[language];
  }, [language]);
  return (
    <LanguageProvider language={language}>
      <ConfirmProvider>
        <Outlet />
      </ConfirmProvider>
    </LanguageProvider>
  );
}

export const rootRoute = createRootRoute({
  validateSearch: readPageSearch,
  search: { middlewares: [retainSearchParams(["game", "env", "lang"])] },
  component: Root,
  // Outside the shell, which has a main part of its own.
  notFoundComponent: () => (
    <main>
      <NotFoundPage />
    </main>
  ),
  errorComponent: (props) => (
    <main>
      <ErrorPage {...props} />
    </main>
  ),
});

/** Pages for people who are signed in: header, navigation and status bar around them. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  component: () => (
    <SessionGate>
      <Shell />
    </SessionGate>
  ),
  notFoundComponent: NotFoundPage,
  errorComponent: ErrorPage,
});

/** Every address that is no page's: whoever is signed in keeps header and navigation. */
export const missingRoute = createRoute({ getParentRoute: () => shellRoute, path: "$", component: NotFoundPage });
