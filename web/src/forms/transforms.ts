/**
 * What a view shows of an answer: a part of it by path, or a new value made of it by a template.
 *
 *     {expr: "$.data.result"}                        the value, or a list where the path finds several
 *     {template: {forEach: {path: "$.data.result", where: …, template: {name: "$.metric.job"}}}}
 *     {expr: "$.data", template: …}                  the template is given what `expr` finds
 *
 * docs/reference/forms.md has the language whole. Time and output are bounded, whatever the answer is.
 */
import { FaultyForm, FormError, type Message } from "./faults";
import { type Node, Run } from "./making";
import { isObject, NOTHING } from "./nodes";
import { Reading } from "./templates";

/** What writers call it. Under each of them `expr` is a path. */
const LANGUAGES: readonly unknown[] = ["", "jsonpath", "path", "template", "cel"];

const NO_OBJECT: Message = {
  en: "a transform is an object with expr or template",
  zh: "transform 须为含 expr 或 template 的对象",
};
const LANGUAGE: Message = {
  en: "this language is not known: leave lang out, and write expr as a path",
  zh: "未知语言：请省略 lang，并把 expr 写成路径",
};

/** A compiled transform; safe to share. */
export class Transform {
  private constructor(
    private readonly expr: Node | null,
    private readonly template: Node | null,
  ) {}

  /** Throws FaultyForm, each fault with its path in `spec`. */
  static read(spec: unknown): Transform {
    if (spec === null || spec === undefined) return new Transform(null, null);
    if (!isObject(spec)) throw new FaultyForm([{ path: [], message: NO_OBJECT }]);
    const reading = new Reading();
    if (!LANGUAGES.includes(spec.lang || "")) reading.fault(["lang"], LANGUAGE);
    const { expr, template } = spec;
    const found = expr === undefined || expr === null || expr === "" ? null : reading.path(expr, ["expr"]);
    const made = template === undefined || template === null ? null : reading.node(template, ["template"], 0);
    if (reading.faults.length > 0) throw new FaultyForm(reading.faults);
    return new Transform(found, made);
  }

  /** What becomes of `value`, a JSON value; null where nothing does. Throws FormError when it takes too long, or makes too much. */
  apply(value: unknown): unknown {
    const run = new Run(value);
    try {
      let found = this.expr ? this.expr(run, value) : value;
      if (this.template) found = this.template(run, found === NOTHING ? null : found);
      return found === NOTHING ? null : found;
    } catch (error) {
      if (error instanceof RangeError) throw new FormError("the answer is nested too deep to be transformed");
      throw error;
    }
  }
}
