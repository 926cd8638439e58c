import { expect, test } from "vitest";
import { standingOf } from "./CallBadge";

const call = { kind: "invoke", state: "succeeded" } as const;

test("a call that started a job says so, whatever became of the job", () => {
  expect(standingOf({ ...call, kind: "job" })).toBe("started");
  expect(standingOf({ ...call, kind: "job", state: "failed" })).toBe("failed");
});

test("a call to all game servers is no plain success when one of them failed", () => {
  const answer = (failed: number) => ({ payload: { results: [], succeeded: 1, failed } });
  expect(standingOf({ ...call, result: answer(1) })).toBe("partial");
  expect(standingOf({ ...call, result: answer(0) })).toBe("succeeded");
  expect(standingOf({ ...call, result: { payload: { failed: 3 } } })).toBe("succeeded");
});

test("a call to all game servers says in a list too that some failed", () => {
  expect(standingOf({ ...call, failed: 1 })).toBe("partial");
  expect(standingOf({ ...call, failed: 0 })).toBe("succeeded");
  expect(standingOf({ ...call, state: "failed", failed: 2 })).toBe("failed");
});
