import "#/pages/registry/registry.css";
import { Anchor, Button, Group, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useScope } from "#/app/scope";
import { EmptyState } from "#/components/EmptyState";
import { PageHeader } from "#/components/PageHeader";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { functionQuery } from "#/functions/functions";
import { inLanguage, useLanguage, useTexts } from "#/i18n/texts";
import { useInvalidateOn } from "#/live";
import { Conflicts } from "./Conflicts";
import { DeedButtons } from "./DeedButtons";
import { ItemList } from "./ItemList";
import { OperationPanel } from "./OperationPanel";
import { type Entity, entityQuery, type Operation } from "./queries";
import { entityTexts } from "./texts";
import { actsOnAll, listOf } from "./things";

/** The things of one type, as its list function finds them. */
export function EntityPage() {
  const text = useTexts(entityTexts);
  const { type } = useParams({ from: "/shell/entities/$type" });
  const scope = useScope();
  const entity = useQuery(entityQuery(scope, type));
  useInvalidateOn("catalog", ["entities", "types"]);
  if (entity.data && scope.game && scope.env) return <Shown entity={entity.data} />;
  return (
    <>
      <PageHeader title={type} />
      {entity.isError && <ProblemBox error={entity.error} again={() => void entity.refetch()} />}
      {entity.isPending && <Waiting />}
      {entity.data && <EmptyState title={text.noScope} hint={text.noScopeHint} />}
    </>
  );
}

function Shown({ entity }: { entity: Entity }) {
  const text = useTexts(entityTexts);
  const language = useLanguage();
  const { op } = useSearch({ from: "/shell/entities/$type" });
  const navigate = useNavigate({ from: "/entities/$type" });
  const choose = (op = "") => void navigate({ search: (now) => ({ ...now, op }), replace: true });
  const list = listOf(entity);
  const about = inLanguage(entity.summary, language) || inLanguage(entity.description, language);
  return (
    <div className="page-fill">
      <PageHeader
        title={inLanguage(entity.title, language, entity.type)}
        detail={[entity.type, about].filter(Boolean).join(" · ")}
      >
        <OpenById entity={entity} />
        <DeedButtons deeds={actsOnAll(entity)} chosen={op} onChoose={choose} />
      </PageHeader>
      <Conflicts entity={entity} />
      <div className="side-panes" data-open={op ? true : undefined}>
        <div style={{ minWidth: 0 }}>
          {list ? <List entity={entity} list={list} /> : <EmptyState title={text.noList} hint={text.noListHint} />}
        </div>
        {op && <OperationPanel key={op} functionId={op} close={() => choose()} />}
      </div>
    </div>
  );
}

function List({ entity, list }: { entity: Entity; list: Operation }) {
  const text = useTexts(entityTexts);
  const { game, env } = useScope();
  const sheet = useQuery(functionQuery(game, env, list.function_id));
  // What runs long, or may change something, is not run because somebody looks.
  if (list.mode !== "query" || list.returns === "job") {
    return (
      <EmptyState title={text.listIsJob} hint={text.listIsJobHint}>
        <Anchor component={Link} to={`/f/${encodeURIComponent(list.function_id)}`}>
          {text.workbench}
        </Anchor>
      </EmptyState>
    );
  }
  if (sheet.isError) return <ProblemBox error={sheet.error} again={() => void sheet.refetch()} />;
  if (!sheet.data) return <Waiting />;
  return <ItemList key={list.function_id} entity={entity} sheet={sheet.data} />;
}

/** A way to one whose id is known. */
function OpenById({ entity }: { entity: Entity }) {
  const text = useTexts(entityTexts);
  const navigate = useNavigate();
  const [id, setId] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const params = { type: entity.type, id: id.trim() };
        if (params.id) void navigate({ to: "/entities/$type/$id", params, search: {} });
      }}
    >
      <Group gap={4} wrap="nowrap">
        <TextInput
          aria-label={text.open}
          placeholder={text.openHint}
          w={150}
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={!id.trim()}>
          {text.go}
        </Button>
      </Group>
    </form>
  );
}
