import { expect, test } from "vitest";
import { router } from "./router";

function idsOf(path: string): readonly string[] {
  return router.matchRoutes(path, {}).map(({ routeId }) => routeId as string);
}

test.each(["/nothing", "/calls/c1/nothing", "/entities/a/b/c"])("%s, which is no page, keeps the shell", (path) => {
  expect(idsOf(path)).toContain("/shell");
});

test("pages are found before what is none", () => {
  expect(idsOf("/calls")).toContain("/shell/calls");
  expect(idsOf("/login")).not.toContain("/shell");
  expect(idsOf("/")).not.toContain("/shell/$");
});
