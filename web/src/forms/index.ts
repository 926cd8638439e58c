/**
 * The form engine, the browser's twin of `src/croupier/forms/`: one meaning in two languages, held to conformance/forms/*.json.
 *
 *     schema + ui ──► Form.compile ──► check(value) ──► value without what is hidden, and its faults
 *                         ├── plan, stages ──► derive      which fields have conditions; what is shown is decided in stages
 *                         ├── rewriting                    the schema that is left to check
 *                         └── validation ──► sentences     the home of @cfworker/json-schema
 *
 *     show_if, … ──► conditions ─┐
 *                                ├──► queries, expressions ──► nodes, patterns      the home of json-p3
 *     view.transform ──► transforms ──► templates ──► making, reckoning, values
 */
export { Condition } from "./conditions";
export { type Derived, derive, prune, type State } from "./derive";
export { FaultyForm, FormError, type FormFault, type Message, pointer, pointerSteps, type ValueFault } from "./faults";
export { type Checked, Form, formFaults, SHOWN_FAULTS } from "./form";
export { Transform } from "./transforms";
