import { type CSSVariablesResolver, DEFAULT_THEME } from "@mantine/core";

const NAMES = Object.keys(DEFAULT_THEME.colors).concat("accent");

/** Light tints with text on them: Mantine's own fall short of 4.5:1, so the darkest or palest shade is taken. */
function tints(shade: number): Record<string, string> {
  return Object.fromEntries(
    NAMES.map((name) => [`--mantine-color-${name}-light-color`, `var(--mantine-color-${name}-${shade})`]),
  );
}

/** What stands behind such text in the dark: near the page, so that a notice does not shout. */
function darkTints(): Record<string, string> {
  return Object.fromEntries(
    NAMES.map((name) => [
      `--mantine-color-${name}-light`,
      `color-mix(in srgb, var(--mantine-color-${name}-9) ${name === "accent" ? 45 : 26}%, var(--mantine-color-dark-7))`,
    ]),
  );
}

/** White stands on it: what destroys, and production. */
const RED_FILLED = { "--mantine-color-red-filled": "#c92a2a", "--mantine-color-red-filled-hover": "#a61e1e" };

/** Colours of both themes with a contrast of 4.5:1 at least (WCAG 2.2, 1.4.3). */
export const contrasts: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...RED_FILLED,
    "--mantine-color-dimmed": "#59616a",
    "--mantine-color-placeholder": "#6b737b",
    "--mantine-color-error": "#c92a2a",
    ...tints(9),
    "--mantine-color-yellow-light-color": "#7a4a00",
    "--mantine-color-orange-light-color": "#a33a00",
    "--mantine-color-lime-light-color": "#3f6212",
    "--mantine-color-green-light-color": "#1f6b30",
    "--mantine-color-teal-light-color": "#05634a",
    "--mantine-color-cyan-light-color": "#0b5a6b",
  },
  dark: {
    ...RED_FILLED,
    "--mantine-color-dimmed": "#a6a7ab",
    "--mantine-color-placeholder": "#a3a5aa",
    "--mantine-color-error": "#ff8787",
    ...tints(2),
    ...darkTints(),
  },
});
