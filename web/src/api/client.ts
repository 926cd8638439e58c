import createClient, { type Middleware } from "openapi-fetch";
import { ProblemError, readProblem, Unreachable } from "./problem";
import type { paths } from "./schema";

export interface Scope {
  readonly game: string;
  readonly env: string;
}

interface Standing {
  csrf: string;
  scope: Scope;
  signedOut: () => void;
}

const standing: Standing = { csrf: "", scope: { game: "", env: "" }, signedOut: () => undefined };

/** What every request carries besides: the session's CSRF token and the game and environment the page stands in. */
export function setStanding(change: Partial<Standing>): void {
  Object.assign(standing, change);
}

const SAFE = new Set(["GET", "HEAD"]);

function complete(request: Request): void {
  if (!SAFE.has(request.method) && standing.csrf) request.headers.set("X-CSRF-Token", standing.csrf);
  for (const [name, value] of Object.entries(scopeHeaders())) {
    if (!request.headers.has(name)) request.headers.set(name, value);
    else if (!request.headers.get(name)) request.headers.delete(name);
  }
}

/** For requests about the platform as a whole: they carry no game and no environment. */
export const EVERYWHERE = { "X-Game-ID": "", "X-Env": "" } as const;

function scopeHeaders(): Record<string, string> {
  const { game, env } = standing.scope;
  return { ...(game && { "X-Game-ID": encodeHeader(game) }), ...(env && { "X-Env": encodeHeader(env) }) };
}

/** Fetch refuses headers beyond Latin-1; a name of a game that needs more goes as its UTF-8 bytes, as HTTP/1.1 carries them. */
function encodeHeader(value: string): string {
  return String.fromCharCode(...new TextEncoder().encode(value));
}

const middleware: Middleware = {
  onRequest({ request }) {
    complete(request);
    return request;
  },
  async onResponse({ response, request }) {
    if (response.ok) return;
    throw await refusal(request, response);
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return error;
    return new Unreachable(error instanceof Error ? error.message : String(error));
  },
};

async function refusal(request: Request, response: Response): Promise<ProblemError> {
  const problem = await readProblem(response);
  const signingIn = new URL(request.url).pathname.startsWith("/api/login");
  if (response.status === 401 && !signingIn) standing.signedOut();
  return new ProblemError(problem);
}

/** The API by its OpenAPI document. Whatever is not 2xx is thrown as ProblemError, no answer at all as Unreachable. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "" });
api.use(middleware);

/** The body of an answer: `const calls = await body(api.GET("/api/calls"))`. */
export async function body<T>(answer: Promise<{ data?: T; response: Response }>): Promise<NonNullable<T>> {
  const { data } = await answer;
  return data as NonNullable<T>;
}

/** For what the document does not type: bytes, streams, answers of functions. Throws as `api` does. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const asked = new Request(new URL(path, globalThis.location.origin), { credentials: "same-origin", ...init });
  complete(asked);
  let response: Response;
  try {
    response = await fetch(asked);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable(error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) throw await refusal(asked, response);
  return response;
}
