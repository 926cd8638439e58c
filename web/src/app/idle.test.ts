import { afterEach, expect, test, vi } from "vitest";
import { loadWhenIdle } from "./idle";

afterEach(() => vi.unstubAllGlobals());

test("code that cannot be loaded ahead is missed by nobody until it is needed", async () => {
  const missed: unknown[] = [];
  const note = (reason: unknown) => missed.push(reason);
  process.on("unhandledRejection", note);
  vi.stubGlobal("requestIdleCallback", (act: () => void) => {
    act();
    return 0;
  });
  loadWhenIdle(() => Promise.reject(new Error("the server is away")));
  await new Promise((done) => setTimeout(done));
  process.off("unhandledRejection", note);
  expect(missed).toEqual([]);
});
