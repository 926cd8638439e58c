import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body, EVERYWHERE } from "#/api/client";
import type { components } from "#/api/schema";

export type User = components["schemas"]["UserEntry"];
export type UserInvited = components["schemas"]["UserInvited"];
export type Role = components["schemas"]["RoleEntry"];
export type Binding = components["schemas"]["BindingEntry"];

/** Accounts belong to the platform, not to a game. */
const headers = EVERYWHERE;

export const usersQuery = infiniteQueryOptions({
  queryKey: ["users"],
  initialPageParam: "",
  queryFn: ({ signal, pageParam }) => {
    const query = { limit: 200, ...(pageParam && { after: pageParam }) };
    return body(api.GET("/api/users", { signal, headers, params: { query } }));
  },
  getNextPageParam: (page) => page.next || undefined,
});

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: ({ signal }) => body(api.GET("/api/roles", { signal, headers })),
});

export function bindingsQuery(filter: { subject?: string; role?: string } = {}) {
  return queryOptions({
    queryKey: ["bindings", filter],
    queryFn: ({ signal }) => body(api.GET("/api/bindings", { signal, headers, params: { query: filter } })),
  });
}

export const gamesQuery = queryOptions({
  queryKey: ["games"],
  queryFn: ({ signal }) => body(api.GET("/api/games", { signal, headers })),
});

/** Where a binding counts, "*" and "" meaning everywhere. */
export function whereOf(binding: Pick<Binding, "game_id" | "env">, everywhere: string): string {
  const game = binding.game_id && binding.game_id !== "*" ? binding.game_id : everywhere;
  const env = binding.env && binding.env !== "*" ? binding.env : everywhere;
  return `${game} / ${env}`;
}
