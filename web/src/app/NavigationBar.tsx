import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import { useState } from "react";
import { maySomewhere, meQuery } from "#/api/session";
import { useTexts } from "#/i18n/texts";
import { useTopic } from "#/live";
import { NAVIGATION, type NavigationItem } from "./navigation";
import { useScope } from "./scope";
import { shellTexts } from "./texts";

/** The pages that are worth opening for whoever is signed in. */
export function useNavigation(): readonly NavigationItem[] {
  const { data: me } = useSuspenseQuery(meQuery);
  return NAVIGATION.filter((item) => !item.permission || maySomewhere(me, item.permission));
}

export function NavigationBar() {
  const text = useTexts(shellTexts);
  const items = useNavigation();
  const waiting = useWaitingApprovals();
  return (
    <nav className="shell-nav" aria-label={text.navigation}>
      {items.map((item) => (
        <Item key={item.to} item={item} count={item.to === "/approvals" ? waiting : 0} />
      ))}
    </nav>
  );
}

function Item({ item, count }: { item: NavigationItem; count: number }) {
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
      {count > 0 && (
        <span className="nav-count" role="img" title={text.waiting(count)} aria-label={text.waiting(count)}>
          {count > 99 ? "99+" : count}
        </span>
      )}
    </Link>
  );
}

/** How many requests wait for a decision of whoever is signed in, in the scope the page stands in. */
function useWaitingApprovals(): number {
  const { game, env } = useScope();
  const here = `${game}|${env}`;
  const [told, setTold] = useState({ here, waiting: 0 });
  useTopic("approvals", ({ data }) => {
    const waiting = (data as { waiting?: unknown } | null)?.waiting;
    if (typeof waiting === "number") setTold({ here, waiting });
  });
  return told.here === here ? told.waiting : 0;
}
