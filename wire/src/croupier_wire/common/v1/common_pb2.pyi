from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class I18nText(_message.Message):
    __slots__ = ("en", "zh")
    EN_FIELD_NUMBER: _ClassVar[int]
    ZH_FIELD_NUMBER: _ClassVar[int]
    en: str
    zh: str
    def __init__(self, en: _Optional[str] = ..., zh: _Optional[str] = ...) -> None: ...

class Menu(_message.Message):
    __slots__ = ("section", "group", "path", "order", "icon", "badge", "hidden")
    SECTION_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    BADGE_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    section: str
    group: str
    path: str
    order: int
    icon: str
    badge: str
    hidden: bool
    def __init__(self, section: _Optional[str] = ..., group: _Optional[str] = ..., path: _Optional[str] = ..., order: _Optional[int] = ..., icon: _Optional[str] = ..., badge: _Optional[str] = ..., hidden: _Optional[bool] = ...) -> None: ...

class RoleBinding(_message.Message):
    __slots__ = ("role", "verbs")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    VERBS_FIELD_NUMBER: _ClassVar[int]
    role: str
    verbs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, role: _Optional[str] = ..., verbs: _Optional[_Iterable[str]] = ...) -> None: ...

class PermissionSpec(_message.Message):
    __slots__ = ("verbs", "scopes", "defaults", "i18n_zh")
    class I18nZhEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VERBS_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    I18N_ZH_FIELD_NUMBER: _ClassVar[int]
    verbs: _containers.RepeatedScalarFieldContainer[str]
    scopes: _containers.RepeatedScalarFieldContainer[str]
    defaults: _containers.RepeatedCompositeFieldContainer[RoleBinding]
    i18n_zh: _containers.ScalarMap[str, str]
    def __init__(self, verbs: _Optional[_Iterable[str]] = ..., scopes: _Optional[_Iterable[str]] = ..., defaults: _Optional[_Iterable[_Union[RoleBinding, _Mapping]]] = ..., i18n_zh: _Optional[_Mapping[str, str]] = ...) -> None: ...
