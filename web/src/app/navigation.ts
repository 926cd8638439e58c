import {
  type Icon,
  IconAffiliate,
  IconBolt,
  IconChecks,
  IconCube,
  IconDeviceGamepad2,
  IconHistory,
  IconListCheck,
  IconPackage,
  IconSettings,
  IconShield,
  IconStack2,
  IconUserShield,
  IconUsers,
} from "@tabler/icons-react";
import type { ShellTexts } from "./texts";

export interface NavigationItem {
  /** Where it leads; a page is its item's when its path begins so. */
  readonly to: string;
  readonly label: keyof ShellTexts["pages"];
  readonly icon: Icon;
  /** The letter after g. */
  readonly key: string;
  /** What one needs to see it; "" for everybody who is signed in. */
  readonly permission: string;
}

/** The page's own table of contents, in the order of the day's work. */
export const NAVIGATION: readonly NavigationItem[] = [
  { to: "/", label: "workbench", icon: IconBolt, key: "w", permission: "" },
  { to: "/calls", label: "calls", icon: IconHistory, key: "c", permission: "calls:read" },
  { to: "/jobs", label: "jobs", icon: IconListCheck, key: "j", permission: "jobs:read" },
  { to: "/bulk", label: "bulk", icon: IconStack2, key: "b", permission: "bulk:read" },
  { to: "/registry", label: "registry", icon: IconAffiliate, key: "r", permission: "registry:read" },
  { to: "/packs", label: "packs", icon: IconPackage, key: "p", permission: "packs:read" },
  { to: "/entities", label: "entities", icon: IconCube, key: "e", permission: "entities:read" },
  { to: "/approvals", label: "approvals", icon: IconChecks, key: "a", permission: "" },
  { to: "/audit", label: "audit", icon: IconShield, key: "u", permission: "audit:read" },
  { to: "/users", label: "users", icon: IconUsers, key: "s", permission: "users:read" },
  { to: "/roles", label: "roles", icon: IconUserShield, key: "o", permission: "roles:read" },
  { to: "/games", label: "games", icon: IconDeviceGamepad2, key: "m", permission: "" },
  { to: "/settings", label: "settings", icon: IconSettings, key: ",", permission: "" },
];
