import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { request, setStanding } from "#/api/client";
import { type Me, meQuery } from "#/api/session";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { SignIn } from "./SignIn";
import { secretInAddress } from "./secret";
import { loginTexts } from "./texts";

/** The way in by its own address; whoever is signed in goes on to where they wanted. */
export function LoginPage() {
  const { return_to: wanted } = useSearch({ from: "/login" });
  const text = useTexts(loginTexts);
  const me = useQuery(meQuery);
  const { history } = useRouter();
  const signedIn = Boolean(me.data);
  useEffect(() => {
    if (signedIn) history.replace(ownPath(wanted));
  }, [signedIn, wanted, history]);
  const ticket = useTicket();
  if (me.isPending || signedIn || ticket === "asked") return <Waiting />;
  return <SignIn page {...(ticket === "refused" && { refused: text.ticketUsed })} />;
}

/** Signs in by `/login#ticket=…`, which `croupier dev` prints: once, for a short time. */
function useTicket(): "none" | "asked" | "refused" {
  const queries = useQueryClient();
  const [secret] = useState(secretInAddress);
  const ticket = secret.startsWith("ticket=") ? secret.slice("ticket=".length) : "";
  const answer = useQuery({
    queryKey: ["login-ticket", ticket],
    enabled: ticket !== "",
    // A ticket works once: neither a second try nor a second window's focus may use it up.
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    queryFn: async () => {
      const answer = await request("/api/login/ticket", { method: "POST", body: JSON.stringify({ ticket }) });
      const known: Pick<Me, "csrf_token"> = await answer.json();
      setStanding({ csrf: known.csrf_token });
      await queries.refetchQueries({ queryKey: meQuery.queryKey });
      return true;
    },
  });
  if (!ticket) return "none";
  return answer.isError ? "refused" : "asked";
}

/** `wanted` if it is a path of this page; what leads elsewhere (`//host`, `https:`) becomes the start. */
export function ownPath(wanted: string | undefined): string {
  const origin = globalThis.location.origin;
  if (!wanted?.startsWith("/")) return "/";
  const url = URL.canParse(wanted, origin) ? new URL(wanted, origin) : null;
  return url?.origin === origin && !url.pathname.startsWith("/login") ? url.pathname + url.search + url.hash : "/";
}
