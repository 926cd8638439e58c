import { lazyRouteComponent } from "@tanstack/react-router";
import { Unreachable } from "#/api/problem";

/**
 * As lazyRouteComponent. That loads the whole page again where code is missing, which is right after an upgrade; without a network
 * it would leave nothing to come back to, so that is told apart, and said in the page's place.
 */
export const lazyPage: typeof lazyRouteComponent = (load, name) =>
  lazyRouteComponent(() => load().catch(whyMissing), name);

async function whyMissing(error: unknown): Promise<never> {
  try {
    await fetch("/api/version", { cache: "no-store" });
  } catch {
    throw new Unreachable("the code of this page could not be loaded");
  }
  throw error;
}
