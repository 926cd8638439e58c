import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { type Column, DataTable, type DataTableProps } from "./DataTable";

interface Player {
  readonly id: string;
  readonly level: number;
}

const columns: Column<Player>[] = [
  { id: "id", header: "Player", value: (row) => row.id, mono: true },
  { id: "level", header: "Level", value: (row) => row.level, align: "right" },
];
const players = (n: number): Player[] => Array.from({ length: n }, (_, i) => ({ id: `p${i}`, level: (i * 7) % 100 }));

beforeEach(() => {
  localStorage.clear();
  // happy-dom lays nothing out; the virtual rows need the height of their frame.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(480);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(800);
});

function show(props: Partial<DataTableProps<Player>> & { rows: readonly Player[] }) {
  return render(
    <MantineProvider>
      <DataTable columns={columns} rowKey={(row) => row.id} label="Players" {...props} />
    </MantineProvider>,
  );
}

const shownIds = () =>
  screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => within(row).getAllByRole("gridcell")[0]?.textContent);

test("of ten thousand rows only those in sight are in the page", () => {
  show({ rows: players(10_000) });
  expect(screen.getByRole("grid", { name: "Players" }).getAttribute("aria-rowcount")).toBe("10001");
  expect(screen.getAllByRole("row").length).toBeLessThan(60);
});

test("a click on a head sorts, and says so", async () => {
  show({ rows: players(5) });
  await userEvent.click(screen.getByRole("button", { name: /Level/ }));
  await userEvent.click(screen.getByRole("button", { name: /Level/ }));
  expect(screen.getByRole("columnheader", { name: /Level/ }).getAttribute("aria-sort")).toBe("descending");
  expect(shownIds()).toEqual(["p4", "p3", "p2", "p1", "p0"]);
});

test("slash goes to the filter, and Enter from there to the rows", async () => {
  show({ rows: players(50) });
  await userEvent.keyboard("/");
  await userEvent.keyboard("p49{Enter}");
  expect(shownIds()).toEqual(["p49"]);
  expect(document.activeElement).toBe(screen.getByRole("grid"));
});

test("j goes down and Enter opens", async () => {
  const onOpen = vi.fn();
  show({ rows: players(3), onOpen });
  await userEvent.keyboard("jj{Enter}");
  expect(onOpen).toHaveBeenCalledExactlyOnceWith({ id: "p1", level: 7 });
});

function Choosing() {
  const [chosen, onChange] = useState<ReadonlySet<string>>(new Set());
  return (
    <MantineProvider>
      <DataTable
        rows={players(6)}
        columns={columns}
        rowKey={(row) => row.id}
        label="Players"
        selection={{ chosen, onChange }}
      />
      <output>{[...chosen].join()}</output>
    </MantineProvider>
  );
}

test("x chooses the active row, and a shifted click all up to another", async () => {
  render(<Choosing />);
  await userEvent.keyboard("jjx");
  expect(document.querySelector("output")?.textContent).toBe("p1");
  fireEvent.click(screen.getByRole("checkbox", { name: "Select p4" }), { shiftKey: true });
  expect(document.querySelector("output")?.textContent).toBe("p1,p2,p3,p4");
  await userEvent.click(screen.getByRole("checkbox", { name: "Select all rows shown" }));
  expect(document.querySelector("output")?.textContent?.split(",")).toHaveLength(6);
});

test("more rows are asked for once when the end comes in sight", () => {
  const loadMore = vi.fn();
  const rows = players(10);
  const { rerender } = show({ rows, loadMore });
  rerender(
    <MantineProvider>
      <DataTable rows={rows} columns={columns} rowKey={(row) => row.id} label="Players" loadMore={loadMore} />
    </MantineProvider>,
  );
  expect(loadMore).toHaveBeenCalledOnce();
});

test("a column left out stays out, and the last one cannot be left out", async () => {
  const { unmount } = show({ rows: players(2) });
  await userEvent.click(screen.getByRole("button", { name: "Columns" }));
  await userEvent.click(await screen.findByRole("menuitemcheckbox", { name: /Player/, hidden: true }));
  expect(screen.queryByRole("columnheader", { name: /Player/ })).toBeNull();
  expect(screen.getByRole("menuitemcheckbox", { name: /Level/, hidden: true })).toHaveProperty(
    "dataset.disabled",
    "true",
  );
  unmount();
  show({ rows: players(2) });
  expect(screen.queryByRole("columnheader", { name: /Player/ })).toBeNull();
});

test("a text of a megabyte or with marks of direction stays a text in its cell", () => {
  const hostile = `\u202E<script>alert(1)</script>${"x".repeat(1_000_000)}`;
  show({ rows: [{ id: hostile, level: 1 }] });
  expect(document.querySelector("script")).toBeNull();
  expect(screen.getAllByRole("gridcell")[0]?.textContent).toHaveLength(300);
});
