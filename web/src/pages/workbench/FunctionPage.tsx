import { useQuery } from "@tanstack/react-query";
import { useLocation, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { api, body } from "#/api/client";
import { useScope } from "#/app/scope";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { functionQuery } from "#/functions/functions";
import { FunctionDesk } from "./FunctionDesk";
import { rememberOpened } from "./favourites";
import type { WorkbenchSearch } from "./routes";

/** The function of the address, in the scope the page stands in. */
export function FunctionPage(): ReactNode {
  const { fn } = useParams({ from: "/shell/workbench/f/$fn" });
  const search: WorkbenchSearch = useSearch({ from: "/shell/workbench/f/$fn" });
  const { game, env } = useScope();
  const sheet = useQuery(functionQuery(game, env, fn));
  const recorded = useRecorded(search.call);
  const seed = useSeed(`${game}|${env}|${fn}`, search);
  useEffect(() => rememberOpened(game, fn), [game, fn]);
  const waiting = sheet.isPending || (search.call && recorded.isPending);
  if (sheet.error && !sheet.data) return <Unknown fn={fn} error={sheet.error} again={() => void sheet.refetch()} />;
  if (waiting || !sheet.data) return <Waiting />;
  return (
    <FunctionDesk
      key={seed}
      sheet={sheet.data}
      search={search}
      recorded={recorded.data?.payload}
      recordedError={recorded.error}
    />
  );
}

function Unknown({ fn, error, again }: { fn: string; error: unknown; again: () => void }) {
  return (
    <>
      <PageHeader title={fn} />
      <ProblemBox error={error} again={again} />
    </>
  );
}

/** The recorded call whose arguments are wanted. */
function useRecorded(callId: string | undefined) {
  return useQuery({
    queryKey: ["calls", callId],
    queryFn: ({ signal }) =>
      body(api.GET("/api/calls/{call_id}", { params: { path: { call_id: callId ?? "" } }, signal })),
    enabled: Boolean(callId),
  });
}

/** Changes when the form has to begin anew: for another function, another recorded call, arguments that somebody else put into the address. */
function useSeed(place: string, { call = "", args = "" }: WorkbenchSearch): number {
  // What is typed goes into the address later than it is typed: such an address says nothing new, however late it comes.
  const typed = useLocation({ select: ({ state }) => state.typed === true });
  const [begun, setBegun] = useState({ place, call, args, seed: 0 });
  const told = !typed && ((call !== "" && call !== begun.call) || (args !== "" && args !== begun.args));
  const fresh = place !== begun.place || told;
  if (fresh || call !== begun.call || args !== begun.args) {
    setBegun({ place, call, args, seed: begun.seed + (fresh ? 1 : 0) });
  }
  return begun.seed;
}
