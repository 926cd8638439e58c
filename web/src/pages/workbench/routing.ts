/** Who receives a call (docs/reference/http.md). */
export const ROUTES = ["lb", "targeted", "hash", "broadcast"] as const;

export type RouteName = (typeof ROUTES)[number];

export interface RouteChoice {
  readonly route: RouteName;
  readonly target: string;
  readonly hash: string;
}

/** As a call's body names it; what belongs to another route is left out. */
export function routeFields({ route, target, hash }: RouteChoice): Record<string, string> {
  return {
    route,
    ...(route === "targeted" && target && { target_service_id: target }),
    ...(route === "hash" && hash && { hash_key: hash }),
  };
}

/** What has to be chosen before anybody can receive it; null where nothing is missing. */
export function missingOf({ route, target }: RouteChoice): "target" | null {
  return route === "targeted" && !target ? "target" : null;
}
