"""The form engine: one meaning on the server, which decides, and in the browser, which helps.

    schema + ui ──► Form.compile ──► Form.check(value) ──► value without what is hidden, and its faults
                        │
                        ├── plan ──► stages     which fields have conditions; in which order what is shown is decided
                        ├── derive              decides it for a value; and tells a page the schema in force
                        └── rewriting           the schema that is left to check

    show_if, required_if, … ──► conditions ─┐
                                            ├──► expressions, queries ──► environment, nodes   the home of python-jsonpath
    view.transform ──► transforms ──────────┘                       └───► patterns             the home of RE2
                           └──► templates ──► making, reckoning, values

Everything is compiled once, shared freely, and bounded in time and output. The fixtures in `conformance/forms/` are the
contract of both languages; docs/reference/forms.md is the text.
"""

from croupier.forms.conditions import Condition
from croupier.forms.derive import Derived, derive, prune
from croupier.forms.faults import FaultyForm, FormFault
from croupier.forms.form import Checked, Form, form_faults
from croupier.forms.plan import speaks_of_conditions
from croupier.forms.transforms import Transform

__all__ = [
    "Checked",
    "Condition",
    "Derived",
    "FaultyForm",
    "Form",
    "FormFault",
    "Transform",
    "derive",
    "form_faults",
    "prune",
    "speaks_of_conditions",
]
