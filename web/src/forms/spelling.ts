/**
 * Paths and conditions as they are spelled in the wild, rewritten to what RFC 9535 says.
 *
 *     $.a === 'x'      $['a'] == 'x'
 *     $.a !== 'x'      $['a'] != 'x'
 *     $.0.b-c          $[0]['b-c']
 *     !!$.a            $['a']
 *
 * Texts in quotes are left as they are; so is whatever is not known, for the parser to refuse.
 */

const FIRST = "A-Za-z_\\u0080-\\ud7ff\\ue000-\\u{10ffff}";
const NAME = `[${FIRST}][-0-9${FIRST}]*`;

const TOKEN = new RegExp(
  [
    `(?<text>'(?:[^'\\\\]|\\\\.)*'|"(?:[^"\\\\]|\\\\.)*")`,
    `(?<descent>\\.\\.(?!\\.)(?:${NAME})?)`,
    `(?<name>\\.${NAME})`,
    `(?<index>\\.-?[0-9]+(?![0-9A-Za-z_]))`,
    `(?<number>-?[0-9]+(?:\\.[0-9]+)?(?:[eE][+\\-]?[0-9]+)?)`,
    `(?<equal>[=!]==)`,
    `(?<twice>(?:!!)+)`,
    `(?<other>.)`,
  ].join("|"),
  "gsu",
);

/** The expression as RFC 9535 spells it. It says nothing of whether it can be read. */
export function canonical(expression: string): string {
  return expression.replace(TOKEN, (token: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    if (groups.name !== undefined) return `['${token.slice(1)}']`;
    if (groups.descent !== undefined) return token.length > 2 ? `..['${token.slice(2)}']` : token;
    if (groups.index !== undefined) return `[${token.slice(1)}]`;
    if (groups.equal !== undefined) return token.slice(0, 2);
    return groups.twice !== undefined ? "" : token;
  });
}
