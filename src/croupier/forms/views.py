"""Whether the views of a function can be shown: their conditions and transforms, read before anyone calls it."""

from collections.abc import Iterator

from croupier.descriptors import FunctionDescriptor, Message
from croupier.descriptors.shown import View
from croupier.errors import InvalidArgument
from croupier.forms.conditions import Condition
from croupier.forms.faults import FaultyForm, FormFault, SpecPath
from croupier.forms.transforms import Transform

_UNREADABLE = "无法读取的条件：请写成 $.data.result 或 $.a == 'x'"


def view_faults(descriptor: FunctionDescriptor) -> list[FormFault]:
    """What is wrong with them, by path in the descriptor."""
    return [
        FormFault(("outputs", "views", number, *path), message)
        for number, view in enumerate(descriptor.outputs.views)
        for path, message in _faults(view)
    ]


def _faults(view: View) -> Iterator[tuple[SpecPath, Message]]:
    if view.show_if:
        try:
            Condition.read(view.show_if)
        except InvalidArgument as error:
            yield ("show_if",), Message(error.message, _UNREADABLE)
    if view.transform is not None:
        said = view.transform
        try:
            Transform.read({"lang": said.lang, "expr": said.expr, "template": said.template})
        except FaultyForm as error:
            yield from ((("transform", *path), message) for path, message in error.faults)
