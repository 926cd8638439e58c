import { Menu, Text, UnstyledButton } from "@mantine/core";
import { IconLogout, IconShieldCheck, IconShieldOff, IconUser } from "@tabler/icons-react";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "#/api/client";
import { meQuery } from "#/api/session";
import { useTexts } from "#/i18n/texts";
import { shellTexts } from "./texts";

/** Ends the session here and at the server. */
export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    await api.POST("/api/logout");
    queries.clear();
    globalThis.location.assign("/login");
  };
}

export function AccountMenu() {
  const text = useTexts(shellTexts);
  const { data: me } = useSuspenseQuery(meQuery);
  const signOut = useSignOut();
  const name = me?.user?.display_name || me?.name;
  const roles = [...new Set(me?.roles.map((each) => each.role))].join(" · ");
  const guarded = Boolean(me?.second_factor.enrolled);
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <UnstyledButton className="account" title={text.account} aria-label={text.accountOf(name ?? "")}>
          <IconUser size={14} aria-hidden />
          <span>{name}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text fw={600} style={{ overflowWrap: "anywhere" }}>
            {me?.name}
          </Text>
          {me?.root ? text.root : roles || text.noRoles}
        </Menu.Label>
        {me?.user && (
          <>
            <Menu.Item component={Link} to="/me" leftSection={<IconUser size={14} />}>
              {text.account}
            </Menu.Item>
            <Menu.Item
              component={Link}
              to="/me"
              leftSection={guarded ? <IconShieldCheck size={14} /> : <IconShieldOff size={14} />}
            >
              {guarded ? text.secondFactorOn : text.secondFactorOff}
            </Menu.Item>
          </>
        )}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={14} />} onClick={() => void signOut()}>
          {text.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
