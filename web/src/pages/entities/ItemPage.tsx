import "#/pages/registry/registry.css";
import { Anchor, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useScope } from "#/app/scope";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { functionsQuery } from "#/functions/functions";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { DeedButtons } from "./DeedButtons";
import { Known } from "./Known";
import { OperationPanel } from "./OperationPanel";
import { type Entity, entityQuery } from "./queries";
import { ThingTimeline } from "./ThingTimeline";
import { entityTexts } from "./texts";
import { actsOnOne, type Deed, deedsOf, readOf } from "./things";

/** Everything known of one thing: what functions say of it, what was done to it, and what can be. */
export function ItemPage() {
  const text = useTexts(entityTexts);
  const { type, id } = useParams({ from: "/shell/entities/$type/$id" });
  const scope = useScope();
  const entity = useQuery(entityQuery(scope, type));
  useInvalidateOn("catalog", ["entities", "types"]);
  if (entity.data && scope.game && scope.env) return <Shown key={`${type} ${id}`} entity={entity.data} id={id} />;
  return (
    <>
      <PageHeader title={text.of(type, id)} />
      {entity.isError && <ProblemBox error={entity.error} again={() => void entity.refetch()} />}
      {entity.isPending && <Waiting />}
      {entity.data && <EmptyState title={text.noScope} hint={text.noScopeHint} />}
    </>
  );
}

function Shown({ entity, id }: { entity: Entity; id: string }) {
  const language = useLanguage();
  const { op } = useSearch({ from: "/shell/entities/$type/$id" });
  const navigate = useNavigate({ from: "/entities/$type/$id" });
  const choose = (op = "") => void navigate({ search: (now) => ({ ...now, op }), replace: true });
  const { acts, asked } = useFunctionsOf(entity);
  const key = [...acts, ...asked].find((each) => each.function_id === op)?.key;
  const title = inLanguage(entity.title, language, entity.type);
  return (
    <>
      <PageHeader
        title={`${title} ${id}`}
        detail={
          <Anchor component={Link} to={`/entities/${encodeURIComponent(entity.type)}`}>
            {title}
          </Anchor>
        }
      >
        <DeedButtons deeds={acts} chosen={op} onChoose={choose} />
      </PageHeader>
      <div className="side-panes" data-open={op ? true : undefined}>
        <Stack px="md" pb="xl" gap="lg" style={{ minWidth: 0 }}>
          <Known entity={entity} id={id} functions={asked} />
          <ThingTimeline entity={entity} id={id} />
        </Stack>
        {op && (
          <OperationPanel
            key={op}
            functionId={op}
            target={key === undefined ? undefined : { id, key }}
            close={() => choose()}
          />
        )}
      </div>
    </>
  );
}

/** What can be done to one thing, and what can be asked about it: its operations, and other functions that name it. */
function useFunctionsOf(entity: Entity): { acts: Deed[]; asked: Deed[] } {
  const { game, env } = useScope();
  const { data: functions = [] } = useQuery(functionsQuery(game, env));
  const listed = new Map(functions.map((entry) => [entry.id, entry]));
  const operations = actsOnOne(entity);
  const others = entity.related.flatMap((related): Deed[] => {
    const entry = listed.get(related.function_id);
    if (!entry || !related.key) return [];
    const { mode, returns, risk, display_name, summary } = entry;
    const danger = risk === "high" || risk === "critical";
    const names = { label: {}, title: {}, description: {}, display_name, summary };
    return [{ ...related, ...names, verb: "", icon: "", danger, risk, mode, returns, origin: { kind: "agent" } }];
  });
  const known = new Set(deedsOf(entity).map((deed) => deed.function_id));
  const more = others.filter((deed) => !known.has(deed.function_id));
  const first = readOf(entity)?.function_id;
  const asked = [...deedsOf(entity).filter((deed) => deed.key !== ""), ...more].filter(
    (deed) => deed.mode === "query" && deed.returns !== "job",
  );
  return {
    acts: [...operations, ...more.filter((deed) => deed.mode !== "query" || deed.returns === "job")],
    asked: asked.sort((a, b) => Number(b.function_id === first) - Number(a.function_id === first)),
  };
}
