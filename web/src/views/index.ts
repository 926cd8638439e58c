/** How answers are shown: renderers by name, over what a view's transform makes of an answer. */
export { Changes, DiffView } from "./diff/DiffView";
export { type Fact, Facts } from "./Facts";
export { bytes, duration, moment } from "./format";
export { JsonView } from "./json/JsonView";
export { KeyValue } from "./KeyValue";
export { type LogLine, LogView } from "./log/LogView";
export { useLogBuffer } from "./log/useLogBuffer";
export { type OutputsSpec, outputsOf, type ViewSpec } from "./spec";
export { View } from "./View";
export { Views } from "./Views";
