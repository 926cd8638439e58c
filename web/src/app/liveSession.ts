import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { meQuery } from "#/api/session";
import { live } from "#/live";
import { useScope } from "./scope";

/** Whoever is shown the door by the stream is asked for at most so often. */
const PATIENCE = 5_000;

/** Ties the live stream to whoever is signed in: it stands where the page stands, its end asks who one is, and signing in dials again. */
export function useLiveSession(signedIn: boolean): void {
  const queries = useQueryClient();
  const { game, env } = useScope();
  useEffect(() => live.stand({ game, env }), [game, env]);
  useEffect(() => {
    if (signedIn) live.again();
  }, [signedIn]);
  useEffect(() => {
    let asked = 0;
    return live.onAskMe(() => {
      if (Date.now() - asked < PATIENCE) return;
      asked = Date.now();
      void queries.refetchQueries({ queryKey: meQuery.queryKey }).then(() => {
        if (queries.getQueryData(meQuery.queryKey)) live.again();
      });
    });
  }, [queries]);
}
