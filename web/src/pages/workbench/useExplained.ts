import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, body } from "#/api/client";
import { useScope } from "#/app/scope";
import { toJson } from "#/forms/exactJson";
import { useInvalidateOn } from "#/live";
import type { Explained } from "./gate";
import { type RouteChoice, routeFields } from "./routing";

const PAUSE = 300;
/** Limits and rights change without a word, and a rate recovers by itself. */
const AGAIN = 30_000;
/** As the server takes it, with room for what stands round the arguments. */
const MOST_BYTES = 990_000;

export interface Explanation {
  readonly explained: Explained | undefined;
  /** So much is not looked at beforehand. */
  readonly tooLarge: boolean;
  /** Why nothing is told. */
  readonly error: Error | null;
}

/**
 * How the call would fare with these arguments; asked when somebody has stopped typing, and whenever it may fare otherwise.
 * The last answer stays meanwhile.
 */
export function useExplained(functionId: string, value: unknown, route: RouteChoice): Explanation {
  const { game, env } = useScope();
  // Compared as text: the form makes a new value with each letter.
  const [payload] = useDebouncedValue(toJson(value), PAUSE);
  const fields = routeFields(route);
  const tooLarge = useMemo(() => bytesOf(payload) > MOST_BYTES, [payload]);
  const everything = ["explain", game, env, functionId];
  useInvalidateOn("registry", everything);
  useInvalidateOn("catalog", everything);
  useInvalidateOn("maintenance", everything);
  const { data, error } = useQuery({
    queryKey: [...everything, payload, fields],
    queryFn: ({ signal }) =>
      body(
        api.POST("/api/access/explain", {
          body: { function_id: functionId, game_id: game, env, payload, ...fields } as never,
          bodySerializer: (asked) => written(asked as unknown as Asked),
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    gcTime: 60_000,
    refetchInterval: AGAIN,
    enabled: !tooLarge,
  });
  return { explained: tooLarge ? undefined : data, tooLarge, error };
}

/** Of its UTF-8. */
function bytesOf(text: string): number {
  return 3 * text.length > MOST_BYTES ? new TextEncoder().encode(text).length : text.length;
}

interface Asked {
  readonly payload: string;
}

/** The payload is JSON already, with every digit. */
function written({ payload, ...others }: Asked): string {
  return `${JSON.stringify(others).slice(0, -1)},"payload":${payload}}`;
}
