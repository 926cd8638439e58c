from croupier_wire.common.v1 import common_pb2 as _common_pb2
from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
FUNCTION_FIELD_NUMBER: _ClassVar[int]
function: _descriptor.FieldDescriptor
UI_FIELD_NUMBER: _ClassVar[int]
ui: _descriptor.FieldDescriptor

class FunctionOptions(_message.Message):
    __slots__ = ("function_id", "version", "category", "risk", "route", "timeout", "two_person_rule", "placement", "labels", "mode", "idempotency_key", "display_name", "summary", "tags", "menu", "permissions")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FUNCTION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    TWO_PERSON_RULE_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    MENU_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    function_id: str
    version: str
    category: str
    risk: str
    route: str
    timeout: str
    two_person_rule: bool
    placement: str
    labels: _containers.ScalarMap[str, str]
    mode: str
    idempotency_key: bool
    display_name: _common_pb2.I18nText
    summary: _common_pb2.I18nText
    tags: _containers.RepeatedScalarFieldContainer[str]
    menu: _common_pb2.Menu
    permissions: _common_pb2.PermissionSpec
    def __init__(self, function_id: _Optional[str] = ..., version: _Optional[str] = ..., category: _Optional[str] = ..., risk: _Optional[str] = ..., route: _Optional[str] = ..., timeout: _Optional[str] = ..., two_person_rule: _Optional[bool] = ..., placement: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., mode: _Optional[str] = ..., idempotency_key: _Optional[bool] = ..., display_name: _Optional[_Union[_common_pb2.I18nText, _Mapping]] = ..., summary: _Optional[_Union[_common_pb2.I18nText, _Mapping]] = ..., tags: _Optional[_Iterable[str]] = ..., menu: _Optional[_Union[_common_pb2.Menu, _Mapping]] = ..., permissions: _Optional[_Union[_common_pb2.PermissionSpec, _Mapping]] = ...) -> None: ...

class UiOptions(_message.Message):
    __slots__ = ("widget", "label", "placeholder", "sensitive", "enum_map", "show_if", "required_if")
    class EnumMapEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    WIDGET_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PLACEHOLDER_FIELD_NUMBER: _ClassVar[int]
    SENSITIVE_FIELD_NUMBER: _ClassVar[int]
    ENUM_MAP_FIELD_NUMBER: _ClassVar[int]
    SHOW_IF_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_IF_FIELD_NUMBER: _ClassVar[int]
    widget: str
    label: str
    placeholder: str
    sensitive: bool
    enum_map: _containers.ScalarMap[str, str]
    show_if: str
    required_if: str
    def __init__(self, widget: _Optional[str] = ..., label: _Optional[str] = ..., placeholder: _Optional[str] = ..., sensitive: _Optional[bool] = ..., enum_map: _Optional[_Mapping[str, str]] = ..., show_if: _Optional[str] = ..., required_if: _Optional[str] = ...) -> None: ...
