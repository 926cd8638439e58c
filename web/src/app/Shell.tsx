import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { maySomewhere, meQuery } from "#/api/session";
import { useTexts } from "#/i18n/texts";
import { Header } from "./Header";
import { NAVIGATION, type NavigationItem } from "./navigation";
import { StatusBar } from "./StatusBar";
import { isProduction, useKeptScope, useScope } from "./scope";
import { shellTexts } from "./texts";

/** Header, navigation, status bar, and the page in the middle. */
export function Shell() {
  const text = useTexts(shellTexts);
  const scope = useScope();
  const { data: me } = useSuspenseQuery(meQuery);
  const first = me?.games[0];
  useKeptScope(scope, first && { game: first.game_id, env: first.envs[0]?.env ?? "" });
  return (
    <div className="shell" data-production={isProduction(scope.env) || undefined}>
      <a className="skip" href="#page">
        {text.skip}
      </a>
      <Header />
      <nav className="shell-nav" aria-label={text.navigation}>
        {NAVIGATION.filter((item) => !item.permission || maySomewhere(me, item.permission)).map((item) => (
          <Item key={item.to} item={item} />
        ))}
      </nav>
      <main className="shell-main" id="page" tabIndex={-1}>
        <Outlet />
      </main>
      <StatusBar />
    </div>
  );
}

function Item({ item }: { item: NavigationItem }) {
  const text = useTexts(shellTexts);
  const { pathname } = useLocation();
  const active = item.to === "/" ? pathname === "/" || pathname.startsWith("/f/") : pathname.startsWith(item.to);
  const Icon = item.icon;
  const label = text.pages[item.label];
  return (
    <Link
      to={item.to}
      className="nav-item"
      data-active={active || undefined}
      aria-current={active ? "page" : undefined}
      title={label}
    >
      <Icon size={15} stroke={1.6} aria-hidden />
      <span className="nav-label">{label}</span>
    </Link>
  );
}
