"""Whether whoever called the old version of a function can call the new one, and what is different otherwise."""

from collections.abc import Iterator
from typing import Any

from croupier.descriptors.changes import Change, Comparison, Verdict, What
from croupier.descriptors.entity import Descriptor, EntityDescriptor
from croupier.descriptors.faults import Message, json_path
from croupier.descriptors.function import FunctionDescriptor
from croupier.descriptors.part import Part
from croupier.descriptors.schema_changes import Effect, SchemaChange, schema_changes

_RISKS = ("low", "medium", "high")


def compare(old: Descriptor, new: Descriptor) -> Comparison:
    """Every change from `old` to `new`. Two spellings of one description are the same."""
    changes = [*_identity(old, new)]
    if isinstance(old, FunctionDescriptor) and isinstance(new, FunctionDescriptor):
        changes += [*_access(old, new), *_behaviour(old, new), *_params(old, new), *_result(old, new)]
    elif isinstance(old, EntityDescriptor) and isinstance(new, EntityDescriptor):
        changes += _object_changes(old, new)
    changes += _said_otherwise(old, new)
    changes.sort(key=lambda change: not change.breaking)
    verdict: Verdict = "breaking" if changes and changes[0].breaking else "compatible" if changes else "same"
    return Comparison(changes=tuple(changes), verdict=verdict)


def _change(path: str, en: str, zh: str, *, breaking: bool, what: What = "changed") -> Change:
    return Change(path=f"$.{path}", what=what, breaking=breaking, why=Message(en, zh))


def _identity(old: Descriptor, new: Descriptor) -> Iterator[Change]:
    if old.id != new.id:
        yield _change("id", "it is another function or object", "已是另一个函数或对象", breaking=True)
    if old.type != new.type:
        yield _change("type", "it is another kind of thing", "类别已改变", breaking=True)
    if old.enabled != new.enabled:
        en, zh = ("it may be used again", "重新可用") if new.enabled else ("it may not be used any more", "不再可用")
        yield _change("enabled", en, zh, breaking=not new.enabled)


def _access(old: FunctionDescriptor, new: FunctionDescriptor) -> Iterator[Change]:
    before, after = old.auth, new.auth
    if before.permission != after.permission:
        yield _change("auth.permission", "callers need another permission", "调用者需要另一项权限", breaking=True)
    if before.allow_if != after.allow_if:
        yield _change("auth.allow_if", "another condition says who may call it", "允许调用的条件已改变", breaking=True)
    if old.risk != new.risk:
        raised = _RISKS.index(new.risk) > _RISKS.index(old.risk)
        en, zh = ("is higher: calls may need more", "升高：调用可能需要更多条件") if raised else ("is lower", "降低")
        yield _change("risk", en, zh, breaking=raised)
    if old.needs_approval != new.needs_approval:
        en, zh = ("calls wait for an approval now", "调用现在需要审批")
        if old.needs_approval:
            en, zh = "calls need no approval any more", "调用不再需要审批"
        yield _change("auth.two_person_rule", en, zh, breaking=new.needs_approval)
    elif before.two_person_rule != after.two_person_rule:
        more = after.two_person_rule.threshold > before.two_person_rule.threshold
        yield _change("auth.two_person_rule", "the approval goes another way", "审批方式已改变", breaking=more)
    if before.risk.requires_mfa != after.risk.requires_mfa:
        en, zh = ("callers prove their identity again", "调用者需再次验证身份")
        if before.risk.requires_mfa:
            en, zh = "callers need not prove their identity again", "调用者无需再次验证身份"
        yield _change("auth.risk.requires_mfa", en, zh, breaking=after.risk.requires_mfa)
    if before.require != after.require:
        more = not set(after.require) <= set(before.require)
        yield _change("auth.require", "callers need other things", "对调用者的要求已改变", breaking=more)


def _behaviour(old: FunctionDescriptor, new: FunctionDescriptor) -> Iterator[Change]:
    before, after = old.semantics, new.semantics
    if before.mode != after.mode:
        en, zh = ("it changes something now", "现在会改变数据")
        if after.mode == "query":
            en, zh = "it changes nothing any more", "不再改变数据"
        yield _change("semantics.mode", en, zh, breaking=after.mode == "command")
    if before.returns != after.returns:
        yield _change("semantics.returns", "it answers in another way", "返回方式已改变", breaking=True)
    if before.route != after.route:
        yield _change("semantics.route", "calls go to others where nothing is said", "默认路由已改变", breaking=True)
    if before.idempotent != after.idempotent:
        en, zh = (
            ("it may be repeated", "可以重复执行") if after.idempotent else ("it may not be repeated", "不可重复执行")
        )
        yield _change("semantics.idempotent", en, zh, breaking=before.idempotent)
    if before.idempotency_key != after.idempotency_key:
        yield _change(
            "semantics.idempotency_key",
            "calls need another key",
            "对幂等键的要求已改变",
            breaking=bool(after.idempotency_key),
        )
    if before.dry_run != after.dry_run:
        yield _change(
            "semantics.dry_run", "it is tried out in another way", "试运行方式已改变", breaking=bool(before.dry_run)
        )
    if before.timeout != after.timeout:
        yield _change("semantics.timeout", "calls may take another time", "超时时间已改变", breaking=False)
    if (before.rate_limit, before.concurrency) != (after.rate_limit, after.concurrency):
        yield _change(
            "semantics.rate_limit", "there may be another number of calls", "调用频率或并发限制已改变", breaking=False
        )
    if old.transport != new.transport:
        yield _change(
            "transport", "game servers are spoken to in another way", "与游戏服务器的通信方式已改变", breaking=True
        )
    if old.hash_path != new.hash_path:
        yield _change("routing", "calls are spread by another value", "分配调用所依据的值已改变", breaking=False)


def _params(old: FunctionDescriptor, new: FunctionDescriptor) -> Iterator[Change]:
    for change in schema_changes(old.params or {}, new.params or {}):
        yield _told("params", change, breaking=change.effect in {Effect.NARROWER, Effect.BOTH})


def _result(old: FunctionDescriptor, new: FunctionDescriptor) -> Iterator[Change]:
    yield from _given_changes("result", old.result, new.result)


def _given_changes(name: str, old: Any, new: Any) -> Iterator[Change]:
    """Of values that callers are given: more of them, or less in them, is what they do not expect; a new field is not."""
    if old is None or new is None:
        if old is not new:
            en, zh = ("is said now", "新增说明") if old is None else ("is not said any more", "不再说明")
            yield _change(name, en, zh, breaking=False, what="added" if old is None else "removed")
        return
    for change in schema_changes(old, new):
        wider = change.effect in {Effect.WIDER, Effect.BOTH} and change.field != "new"
        yield _told(name, change, breaking=wider or change.field == "gone")


_WHAT: dict[Effect, What] = {
    Effect.NARROWER: "narrowed",
    Effect.WIDER: "widened",
    Effect.BOTH: "changed",
    Effect.NEITHER: "changed",
}
_FIELD: dict[str, What] = {"new": "added", "gone": "removed"}


def _told(name: str, change: SchemaChange, *, breaking: bool) -> Change:
    what = _FIELD[change.field] if change.field else _WHAT[change.effect]
    return Change(path=json_path((name, *change.path)), what=what, breaking=breaking, why=change.why)


def _object_changes(old: EntityDescriptor, new: EntityDescriptor) -> Iterator[Change]:
    yield from _given_changes("schema", old.object_schema, new.object_schema)
    if old.key != new.key:
        yield _change("key", "another field tells objects apart", "区分对象的字段已改变", breaking=True)
    before, after = old.operations, new.operations
    for verb in sorted(before.keys() | after.keys()):
        gone = {each.function for each in before.get(verb, ())} - {each.function for each in after.get(verb, ())}
        path = json_path(("operations", verb))[2:]
        if gone:
            yield _change(path, "an operation is gone", "有操作被移除", breaking=True, what="removed")
        elif before.get(verb) != after.get(verb):
            yield _change(
                path, "an operation is new, or is shown otherwise", "操作新增或显示方式已改变", breaking=False
            )
    for name in sorted(old.relationships.keys() | new.relationships.keys()):
        if old.relationships.get(name) != new.relationships.get(name):
            path = json_path(("relationships", name))[2:]
            yield _change(
                path, "objects belong together in another way", "对象关系已改变", breaking=name in old.relationships
            )


_JUDGED = frozenset(
    {"id", "type", "enabled", "risk", "auth", "semantics", "transport", "routing", "params", "result", "key",
     "object_schema", "operations", "relationships"}
)  # fmt: skip


def _said_otherwise(old: Descriptor, new: Descriptor) -> Iterator[Change]:
    """Whatever nobody fails by: texts, views, forms, menus, and keys that nobody knows."""
    before, after = _sayings(old), _sayings(new)
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one != other:
            what: What = "added" if name not in before else "removed" if name not in after else "changed"
            yield Change(path=json_path(name), what=what, breaking=False, why=_SAID_OTHERWISE)


_JUDGED_WITHIN = {
    "auth": frozenset({"permission", "allow_if", "two_person_rule", "risk", "require"}),
    "semantics": frozenset(
        {"mode", "returns", "route", "idempotent", "idempotency_key", "dry_run", "timeout", "rate_limit", "concurrency",
         "approval_required"}
    ),
}  # fmt: skip


def _sayings(descriptor: Descriptor) -> dict[tuple[str, ...], Any]:
    """By path, every field that has no rule of its own."""
    found: dict[tuple[str, ...], Any] = {
        (name,): value for name, value in _fields(descriptor).items() if name not in _JUDGED
    }
    if isinstance(descriptor, FunctionDescriptor):
        for part, judged in _JUDGED_WITHIN.items():
            within = _fields(getattr(descriptor, part)).items()
            found |= {(part, name): value for name, value in within if name not in judged}
        found["auth", "risk"] = {**_fields(descriptor.auth.risk), "level": None, "requires_mfa": None}
    return found


def _fields(part: Part) -> dict[str, Any]:
    return {**part.__dict__, **(part.model_extra or {})}


_SAID_OTHERWISE = Message("is said or shown otherwise", "说明或显示方式有变化")
