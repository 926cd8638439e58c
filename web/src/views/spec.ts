import type { Bilingual } from "#/i18n/texts";

/** How an answer becomes what a view shows; read by the form engine. */
export interface TransformSpec {
  readonly lang?: string;
  readonly expr?: string;
  readonly template?: unknown;
}

export type Options = Readonly<Record<string, unknown>>;

/** One of `outputs.views` of a descriptor, as the server spells it (docs/reference/descriptors.md). */
export interface ViewSpec {
  readonly id: string;
  readonly renderer: string;
  readonly title: Bilingual | string;
  readonly show_if: string;
  readonly transform: TransformSpec | null;
  readonly options: Options;
}

export interface OutputsSpec {
  readonly layout: { readonly type: string; readonly cols: number };
  readonly views: readonly ViewSpec[];
}

/** What a renderer gets: the view's value after its transform. */
export interface RendererProps {
  readonly value: unknown;
  readonly options: Options;
  /** The view's title. */
  readonly label: string;
}

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member that is a text with something in it, else `fallback`. */
export function textOf(value: unknown, fallback = ""): string {
  return typeof value === "string" && value ? value : fallback;
}

/** `outputs` of a descriptor; whatever is not as the server would spell it is left out. */
export function outputsOf(descriptor: unknown): OutputsSpec {
  const outputs = isObject(descriptor) && isObject(descriptor.outputs) ? descriptor.outputs : {};
  const layout = isObject(outputs.layout) ? outputs.layout : {};
  const views = Array.isArray(outputs.views) ? outputs.views.filter(isObject) : [];
  return {
    layout: { type: textOf(layout.type), cols: typeof layout.cols === "number" ? layout.cols : 2 },
    views: views.map(readView),
  };
}

function readView(view: Json, place: number): ViewSpec {
  return {
    id: textOf(view.id, `view${place + 1}`),
    renderer: textOf(view.renderer, textOf(view.type, "json")),
    title: isObject(view.title) ? (view.title as Bilingual) : textOf(view.title),
    show_if: textOf(view.show_if),
    transform: isObject(view.transform) ? (view.transform as TransformSpec) : null,
    options: isObject(view.options) ? view.options : {},
  };
}
