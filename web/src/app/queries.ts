import { MutationCache, QueryClient } from "@tanstack/react-query";
import { setStanding } from "#/api/client";
import { ProblemError } from "#/api/problem";
import { meQuery } from "#/api/session";

const TRIES = 3;

/** Answers are shown while they are asked for again; only what may pass by itself is tried again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (tried, error) => !(error instanceof ProblemError && error.status < 500) && tried < TRIES,
      retryDelay: (tried) => Math.min(500 * 2 ** tried, 8_000),
      refetchOnWindowFocus: true,
      networkMode: "always",
    },
    // An act is never repeated by itself: whoever asked for it decides.
    mutations: { retry: false, networkMode: "always" },
  },
  mutationCache: new MutationCache(),
});

// Whatever is refused as 401 while somebody seemed to be signed in brings the sign-in up, over the page as it is.
setStanding({ signedOut: () => queryClient.setQueryData(meQuery.queryKey, null) });
