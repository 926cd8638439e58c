/**
 * Forms made of a JSON Schema and a UI schema.
 *
 *     const [value, setValue] = useState(() => firstValue(schema, ui));
 *     <FormEditor schema={schema} ui={ui} value={value} onChange={setValue} faults={faults} />
 *     const { pruned, faults } = checkForm(schema, ui, value);      // before sending; the server decides
 *     request("/api/invoke", { method: "POST", body: toJson({ function_id, payload: pruned }) })
 */
export { parseJson, toJson, Unreadable } from "#/forms/exactJson";
export { type CheckedForm, checkForm } from "./check";
export { FormEditor, type FormEditorProps } from "./FormEditor";
export { firstValue } from "./first";
export { SchemaForm, type SchemaFormProps } from "./SchemaForm";
