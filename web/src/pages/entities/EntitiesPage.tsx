import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useScope } from "#/app/scope";
import { type Column, DataTable } from "#/components/DataTable";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { type Entity, entitiesQuery } from "./queries";
import { entityTexts } from "./texts";
import { deedsOf } from "./things";

/** The types of things that functions are about. */
export function EntitiesPage() {
  const text = useTexts(entityTexts);
  const scope = useScope();
  const navigate = useNavigate();
  const entities = useQuery(entitiesQuery(scope));
  useInvalidateOn("catalog", ["entities", "types"]);
  const columns = useColumns();
  return (
    <div className="page-fill">
      <PageHeader title={text.title} />
      {entities.isError && <ProblemBox error={entities.error} again={() => void entities.refetch()} />}
      {entities.isPending && <Waiting />}
      {entities.data && (
        <DataTable
          label={text.title}
          rows={entities.data}
          columns={columns}
          rowKey={(entity) => entity.type}
          onOpen={({ type }) => void navigate({ to: "/entities/$type", params: { type }, search: {} })}
          empty={<EmptyState title={text.none} hint={text.noneHint} />}
        />
      )}
    </div>
  );
}

function useColumns(): Column<Entity>[] {
  const text = useTexts(entityTexts);
  const language = useLanguage();
  return [
    { id: "name", header: text.name, width: 160, value: (entity) => inLanguage(entity.title, language, entity.type) },
    { id: "type", header: text.type, width: 140, mono: true, value: (entity) => entity.type },
    { id: "category", header: text.category, width: 110, value: (entity) => entity.category },
    {
      id: "operations",
      header: text.operations,
      width: 360,
      value: (entity) => [...new Set(deedsOf(entity).map((deed) => deed.verb))].join(", "),
    },
    {
      id: "origins",
      header: text.origins,
      width: 220,
      value: (entity) => entity.origins.map(({ name, kind }) => name || kind).join(", "),
    },
    { id: "conflicts", header: text.conflicts, width: 80, align: "right", value: (entity) => entity.conflicts.length },
  ];
}
