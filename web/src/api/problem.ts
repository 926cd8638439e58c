import type { components } from "./schema";

type Said = components["schemas"]["Problem"];

/** As the server says it, or as it is made here of an answer that came from elsewhere, with a reason of its own. */
export type Problem = Omit<Said, "reason"> & { reason: string };

/** The server refused, in the words of its problem document (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
  get status(): number {
    return this.problem.status;
  }
  get reason(): string {
    return this.problem.reason;
  }
}

/** Nobody answered: offline, or the server restarts. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** The problem an answer carries; made from its status when the answer is of something between us and the server. */
export async function readProblem(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === "object" && found !== null && "detail" in found && "reason" in found) {
      return { ...(found as Problem), status: response.status };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return {
    type: "about:blank",
    title: response.statusText,
    status: response.status,
    detail: text.slice(0, 400) || `HTTP ${response.status} ${response.statusText}`,
    reason: `http_${response.status}`,
  };
}
