import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { useControlKey, usePageKeys } from "./keys";

function Page({ told }: { told: string[] }) {
  usePageKeys((key) => {
    told.push(key);
    return true;
  });
  useControlKey("k", () => told.push("ctrl k"));
  return <input aria-label="field" />;
}

test("single keys are the page's, and g makes two of them one", async () => {
  const told: string[] = [];
  render(<Page told={told} />);
  await userEvent.keyboard("/gc?");
  expect(told).toEqual(["/", "g c", "?"]);
});

test("no key is taken from who types, but Ctrl+K is", async () => {
  const told: string[] = [];
  const { getByLabelText } = render(<Page told={told} />);
  await userEvent.type(getByLabelText("field"), "/g?");
  await userEvent.keyboard("{Control>}k{/Control}");
  expect(told).toEqual(["ctrl k"]);
  expect((getByLabelText("field") as HTMLInputElement).value).toBe("/g?");
});
