import { expect, test } from "vitest";
import { browserOf } from "./browser";

test("a browser is called as people call it, with the system it runs on", () => {
  const chrome =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
  expect(browserOf(chrome)).toBe("Chrome 140 · Linux");
  expect(browserOf(`${chrome.replace("X11; Linux x86_64", "Windows NT 10.0")} Edg/140.0.0.0`)).toBe(
    "Edge 140 · Windows",
  );
  expect(browserOf("curl/8.5.0")).toBe("curl/8.5.0");
});
