import { Tabs } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { type Me, maySomewhere, meQuery } from "#/api/session";
import { PageHeader } from "#/components/PageHeader";
import { useTexts } from "#/i18n/texts";
import { AboutTab } from "./AboutTab";
import { LimitsTab } from "./LimitsTab";
import { MachinesTab } from "./MachinesTab";
import { MaintenanceTab } from "./MaintenanceTab";
import { SETTINGS_TABS, type SettingsTab } from "./routes";
import { SecretsTab } from "./SecretsTab";
import { settingsTexts } from "./texts";

const PAGES: Record<SettingsTab, { readonly permission: string; readonly shown: ComponentType }> = {
  maintenance: { permission: "maintenance:read", shown: MaintenanceTab },
  limits: { permission: "limits:read", shown: LimitsTab },
  secrets: { permission: "secrets:read", shown: SecretsTab },
  machines: { permission: "machines:read", shown: MachinesTab },
  about: { permission: "", shown: AboutTab },
};

function isOpen(me: Me | null, tab: SettingsTab): boolean {
  return !PAGES[tab].permission || maySomewhere(me, PAGES[tab].permission);
}

/** What holds the platform in its bounds: maintenance, limits, secrets, machines. */
export function SettingsPage() {
  const text = useTexts(settingsTexts);
  const { data: me } = useSuspenseQuery(meQuery);
  const tabs = SETTINGS_TABS.filter((tab) => isOpen(me, tab));
  const { tab: wanted } = useSearch({ from: "/shell/settings" });
  const navigate = useNavigate({ from: "/settings" });
  const tab = wanted && tabs.includes(wanted) ? wanted : (tabs[0] ?? "about");
  const Shown = PAGES[tab].shown;
  return (
    <>
      <PageHeader title={text.title} />
      <Tabs
        value={tab}
        onChange={(value) => {
          const tab = SETTINGS_TABS.find((tab) => tab === value);
          if (tab) void navigate({ search: (now) => ({ ...now, tab }), replace: true });
        }}
      >
        <Tabs.List px="md">
          {tabs.map((tab) => (
            <Tabs.Tab key={tab} value={tab}>
              {text.tabs[tab]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map((each) => (
          <Tabs.Panel key={each} value={each} p="md" maw={1080}>
            {each === tab && <Shown />}
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  );
}
