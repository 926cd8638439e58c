import { createContext, type ReactNode, useContext } from "react";

type NameOf = (key: string) => string;

const Names = createContext<NameOf>((key) => key);

/** What the fields of an answer are called within, where its own view does not say: a page of a thing knows that. */
export function FieldNames({ nameOf, children }: { nameOf: NameOf; children: ReactNode }) {
  return <Names value={nameOf}>{children}</Names>;
}

export function useFieldNames(): NameOf {
  return useContext(Names);
}
