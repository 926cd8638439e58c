import "./workbench.css";
import { Outlet } from "@tanstack/react-router";
import { createContext, type ReactNode, useContext, useState } from "react";
import { createPortal } from "react-dom";
import { EmptyState } from "#/components/EmptyState";
import { useTexts } from "#/i18n/texts";
import { Begin } from "./Begin";
import { FunctionList } from "./FunctionList";
import { Panes } from "./Panes";
import { workbenchTexts } from "./texts";

const LastPane = createContext<HTMLElement | null>(null);

/** Functions on the left, the form of one in the middle, what came of it on the right. */
export function WorkbenchPage(): ReactNode {
  const text = useTexts(workbenchTexts);
  const [last, setLast] = useState<HTMLElement | null>(null);
  return (
    <Panes list={<FunctionList />} last={<section className="pane" aria-label={text.result} ref={setLast} />}>
      <LastPane value={last}>
        <section className="pane" aria-label={text.form}>
          <Outlet />
        </section>
      </LastPane>
    </Panes>
  );
}

/** Shows `children` in the pane on the right, whose function stands in the middle. */
export function InLastPane({ children }: { children: ReactNode }) {
  const pane = useContext(LastPane);
  return pane && createPortal(children, pane);
}

export function NothingChosen(): ReactNode {
  const text = useTexts(workbenchTexts);
  return (
    <>
      <Begin />
      <InLastPane>
        <EmptyState title={text.choose} hint={text.nothingYetHint} />
      </InLastPane>
    </>
  );
}
