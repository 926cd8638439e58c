import { Tabs } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { PageHeader } from "#/components/PageHeader";
import { Waiting } from "#/components/Waiting";
import { useTexts } from "#/i18n/texts";
import { BindingsSection } from "./BindingsSection";
import { Matrix } from "./Matrix";
import { RolesTab } from "./RolesTab";
import { ROLE_TABS } from "./routes";
import { accessTexts } from "./texts";
import "./access.css";

const PolicyTab = lazy(() => import("./PolicyTab").then((found) => ({ default: found.PolicyTab })));

/** Roles, who has them, what they may call, and all of it as a file. */
export function RolesPage() {
  const text = useTexts(accessTexts).roles;
  const { tab = "roles" } = useSearch({ from: "/shell/roles" });
  const navigate = useNavigate({ from: "/roles" });
  return (
    <>
      <PageHeader title={text.title} />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(value) => {
          const tab = ROLE_TABS.find((tab) => tab === value);
          if (tab) void navigate({ search: (now) => ({ ...now, tab }), replace: true });
        }}
      >
        <Tabs.List px="md">
          {ROLE_TABS.map((tab) => (
            <Tabs.Tab key={tab} value={tab}>
              {text.tabs[tab]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="roles">
          <RolesTab />
        </Tabs.Panel>
        <Tabs.Panel value="matrix" p="md">
          <Matrix />
        </Tabs.Panel>
        <Tabs.Panel value="bindings" p="md" maw={960}>
          <BindingsSection />
        </Tabs.Panel>
        <Tabs.Panel value="policy" p="md">
          <Suspense fallback={<Waiting />}>
            <PolicyTab />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
