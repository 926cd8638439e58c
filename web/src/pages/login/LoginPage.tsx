import { useQuery } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { meQuery } from "#/api/session";
import { Waiting } from "#/components/Waiting";
import { SignIn } from "./SignIn";

/** The way in by its own address; whoever is signed in goes on to where they wanted. */
export function LoginPage() {
  const { return_to: wanted } = useSearch({ from: "/login" });
  const me = useQuery(meQuery);
  const { history } = useRouter();
  const signedIn = Boolean(me.data);
  useEffect(() => {
    if (signedIn) history.replace(ownPath(wanted));
  }, [signedIn, wanted, history]);
  if (me.isPending || signedIn) return <Waiting />;
  return <SignIn page />;
}

/** `wanted` if it is a path of this page; what leads elsewhere (`//host`, `https:`) becomes the start. */
export function ownPath(wanted: string | undefined): string {
  const origin = globalThis.location.origin;
  if (!wanted?.startsWith("/")) return "/";
  const url = URL.canParse(wanted, origin) ? new URL(wanted, origin) : null;
  return url?.origin === origin && !url.pathname.startsWith("/login") ? url.pathname + url.search + url.hash : "/";
}
