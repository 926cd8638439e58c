import { Anchor, Button, Group, ScrollArea, Text, TextInput, VisuallyHidden } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, body, type Scope } from "#/api/client";
import { useScope } from "#/app/scope";
import { RiskBadge } from "#/components/badges";
import { ProblemBox } from "#/components/ProblemBox";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { accessTexts } from "./texts";

function useMatrix(scope: Scope, prefix: string) {
  return useInfiniteQuery({
    queryKey: ["roles", "matrix", scope.game, scope.env, prefix],
    initialPageParam: "",
    queryFn: ({ signal, pageParam }) => {
      const query = { limit: 100, ...(prefix && { prefix }), ...(pageParam && { after: pageParam }) };
      return body(api.GET("/api/access/matrix", { signal, params: { query } }));
    },
    getNextPageParam: (page) => page.next || undefined,
  });
}

/** Functions by roles: who may call what in this game and environment. */
export function Matrix() {
  const text = useTexts(accessTexts).roles;
  const scope = useScope();
  const [prefix, setPrefix] = useState("");
  const matrix = useMatrix(scope, prefix);
  const roles = matrix.data?.pages[0]?.roles ?? [];
  const functions = matrix.data?.pages.flatMap((page) => page.functions) ?? [];
  return (
    <>
      <Group mb="xs">
        <TextInput
          aria-label={text.prefix}
          placeholder={text.prefix}
          onKeyDown={(event) => event.key === "Enter" && setPrefix(event.currentTarget.value.trim())}
          onBlur={(event) => setPrefix(event.currentTarget.value.trim())}
        />
      </Group>
      {matrix.isError && <ProblemBox error={matrix.error} again={() => void matrix.refetch()} />}
      {matrix.isPending && <Waiting />}
      {matrix.data && (
        <ScrollArea viewportProps={{ tabIndex: 0 }}>
          <table className="matrix">
            <caption>
              <VisuallyHidden>{text.functionsHint}</VisuallyHidden>
            </caption>
            <thead>
              <tr>
                <th scope="col">{text.function}</th>
                <th scope="col">{text.risk}</th>
                {roles.map((role) => (
                  <th key={role} scope="col">
                    <Anchor component={Link} to={`/roles/${encodeURIComponent(role)}/try`}>
                      {role}
                    </Anchor>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {functions.map((row) => (
                <tr key={row.function_id}>
                  <td>
                    <Text ff="monospace">{row.function_id}</Text>
                    {row.allow_if && (
                      <Text c="dimmed" ff="monospace" style={{ overflowWrap: "anywhere" }} maw={320}>
                        {text.condition} {row.allow_if}
                      </Text>
                    )}
                  </td>
                  <td>
                    <RiskBadge risk={row.risk} />
                  </td>
                  {roles.map((role) => (
                    <td key={role}>
                      {row.roles.includes(role) ? (
                        <>
                          <IconCheck size={14} aria-hidden />
                          <VisuallyHidden>{text.may}</VisuallyHidden>
                        </>
                      ) : (
                        <VisuallyHidden>{text.mayNot}</VisuallyHidden>
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollArea>
      )}
      {matrix.hasNextPage && (
        <Button mt="xs" variant="default" onClick={() => void matrix.fetchNextPage()}>
          …
        </Button>
      )}
    </>
  );
}
