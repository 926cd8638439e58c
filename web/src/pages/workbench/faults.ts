import { ProblemError } from "#/api/problem";

export interface Fault {
  /** A JSON pointer into the arguments. */
  readonly path: string;
  readonly keyword: string;
  readonly message: { readonly en: string; readonly zh: string };
}

export type Faults = readonly Fault[];

/** What a refusal says of single arguments. */
export function faultsOf(error: unknown): Faults {
  if (!(error instanceof ProblemError)) return [];
  return (error.problem.faults ?? []).map(({ path, keyword, message }) => ({
    path,
    keyword,
    message: { en: message.en ?? "", zh: message.zh ?? message.en ?? "" },
  }));
}
