/**
 * Regular expressions as the server reads them (RE2), run by the browser's own engine. The language is what both read alike,
 * and holds all of I-Regexp (RFC 9485): see docs/reference/forms.md. The browser's engine backtracks; the server's does not.
 */
import { FormError } from "./faults";

const PATTERN_CHARACTERS = 1_000;
const MOST_TIMES = 1_000;
const KEPT = 1_000;

const TOKEN = /\\[pP]\{[^{}]*\}|\\.|\(\?:|\(\?|\{\d+(?:,\d*)?\}|\[\^?|./gsu;
const CATEGORY = /^\\[pP]\{(?:C[cfno]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)\}$/;
const PUNCTUATION = new Set("\\^$.*+?()[]{}|/-");
const SPACE = "\\t\\n\\v\\f\\r ";

export type Search = (text: string) => boolean;

const kept = new Map<string, RegExp | FormError>();

/** Says whether a text holds what `pattern` describes. Throws FormError for what is not of the language above. */
export function searcher(pattern: string): Search {
  return compiled(pattern, (translated) => translated, "");
}

/** As `searcher`, for the whole of a text. */
export function matcher(pattern: string): Search {
  return compiled(pattern, (translated) => `^(?:${translated})$`, "^");
}

function compiled(pattern: string, around: (translated: string) => string, kind: string): Search {
  const key = kind + pattern;
  let known = kept.get(key);
  if (known === undefined) {
    known = read(pattern, around);
    if (kept.size >= KEPT) kept.clear();
    kept.set(key, known);
  }
  if (known instanceof FormError) throw known;
  const expression = known;
  return (text) => expression.test(text);
}

function read(pattern: string, around: (translated: string) => string): RegExp | FormError {
  try {
    return new RegExp(around(translated(pattern)), "u");
  } catch (error) {
    if (error instanceof FormError) return error;
    if (error instanceof SyntaxError) return unreadable(pattern, error.message);
    throw error;
  }
}

function translated(pattern: string): string {
  if (pattern.length > PATTERN_CHARACTERS) throw unreadable(pattern.slice(0, 40), "it has more than 1000 characters");
  let result = "";
  let classFrom = -1;
  for (const token of pattern.matchAll(TOKEN)) {
    const [text] = token;
    if (classFrom < 0) {
      result += outside(pattern, text);
      classFrom = text === "[" || text === "[^" ? token.index + text.length : -1;
    } else if (text === "]") {
      if (token.index === classFrom)
        throw unreadable(pattern, "a class must name a character; write \\] for a bracket");
      result += text;
      classFrom = -1;
    } else {
      result += inside(pattern, text);
    }
  }
  return result;
}

function outside(pattern: string, text: string): string {
  if (text === ".") return "[^\\n\\r]";
  if (text === "]" || text === "{" || text === "}")
    throw unreadable(pattern, `write \\${text} for the character ${text}`);
  if (text === "(?") throw unreadable(pattern, "of the groups that begin with (? only (?: is known");
  if (text.startsWith("{")) return times(pattern, text);
  if (!text.startsWith("\\")) return text;
  if (text === "\\s") return `[${SPACE}]`;
  if (text === "\\S") return `[^${SPACE}]`;
  return "dDwWbB".includes(text.slice(1)) ? text : escaped(pattern, text);
}

function times(pattern: string, text: string): string {
  if ([...text.matchAll(/\d+/g)].some(([count]) => Number(count) > MOST_TIMES)) {
    throw unreadable(pattern, `${text} repeats more than ${MOST_TIMES} times`);
  }
  return text;
}

function inside(pattern: string, text: string): string {
  if (text === "[" || text === "[^") throw unreadable(pattern, "write \\[ for a bracket in a class");
  if (text === "\\s") return SPACE;
  if (!text.startsWith("\\")) return text;
  return "dDwW".includes(text.slice(1)) ? text : escaped(pattern, text);
}

function escaped(pattern: string, text: string): string {
  const name = text.slice(1);
  if ("nrt".includes(name) || PUNCTUATION.has(name)) return name === "-" ? "\\x2d" : text;
  if (CATEGORY.test(text)) return text;
  throw unreadable(pattern, `${text} is not known`);
}

function unreadable(pattern: string, reason: string): FormError {
  return new FormError(`the pattern '${pattern}' cannot be read: ${reason}`);
}
