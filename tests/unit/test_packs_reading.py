"""From files to a pack, in every shape that is in the wild."""

import json
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from tests.planes.packs_testbed import pack_files

from croupier.packs.differences import difference
from croupier.packs.pack import FaultyPack, Pack, write_packs
from croupier.packs.reading import read_pack, read_packs
from croupier.packs.signing import SIGNATURE_FILE
from croupier.packs.tar import read_archive, write_archive

WILD = {
    "manifest.json": {
        "functions": [
            {"id": "prom.query", "version": "1.0.0", "category": "prom", "labels": {"team": "ops"}},
            {"id": "prom.query_range", "version": "1.0.0", "category": "prom"},
        ],
        "web_plugins": ["web-plugin/echarts_plugin.js", "web-plugin/missing.js"],
    },
    "descriptors/prom.query.json": {
        "id": "prom.query",
        "auth": {"permission": "prom.query"},
        "params": {"type": "object", "properties": {"expr": {"type": "string"}}, "required": ["expr"]},
        "transport": {"proto": {"request_fqn": "prom.v1.Query"}},
    },
    "ui/prom.query.schema.json": {"type": "object"},
    "ui/prom.query.uischema.json": {"fields": {"expr": {"widget": "code"}}},
    "ui/prom.gone.uischema.json": {},
}
COMPONENT = {
    "id": "items",
    "name": "Items of players",
    "version": "1.2.0",
    "description": "Give and take",
    "category": "economy",
    "dependencies": ["player@^1.2", {"id": "mail"}],
    "entities": ["player", {"id": "item", "schema": {"type": "object"}}],
    "functions": [
        {
            "id": "item.give",
            "version": "1.1",
            "enabled": False,
            "entity": "item",
            "operation": "give",
            "description": "x",
        }
    ],
    "author": {"name": "Ann"},
    "license": "MIT",
}
PROVIDER = {
    "provider": {"id": "go-sdk", "version": "1.0.0", "lang": "go", "sdk": "croupier-go"},
    "functions": [
        {"id": "guild.list", "request": {"json_schema": {"type": "object"}}, "semantics": {"mode": "query"}},
        {"id": "guild.close"},
    ],
    "entities": [{"id": "guild", "title": "Guild", "schema": {"type": "object"}}],
}


def encoded(files: dict[str, Any]) -> dict[str, bytes]:
    return {name: each if isinstance(each, bytes) else json.dumps(each).encode() for name, each in files.items()}


def wild(**changes: Any) -> dict[str, bytes]:
    plugin = {"web-plugin/echarts_plugin.js": b"//", "types.pb": b"", "README.md": b"# prom"}
    return encoded({**WILD, **plugin, **changes})


def told(error: pytest.ExceptionInfo[FaultyPack]) -> list[tuple[str, str]]:
    return [(fault.file, fault.path) for fault in error.value.faults]


def a_set(*messages: str, package: str = "prom.v1") -> bytes:
    file = FileDescriptorProto(name="a.proto", package=package, syntax="proto3")
    file.message_type.extend(DescriptorProto(name=name) for name in messages)
    return FileDescriptorSet(file=[file]).SerializeToString()


# ------------------------------------------------------------------------------------------------ the three shapes


def test_a_pack_without_a_name_is_called_as_its_folder():
    pack = read_pack(wild(), "prom")
    assert (pack.name, pack.version, pack.category) == ("prom", "", "prom")
    (function,) = pack.functions
    assert (function.id, function.version, function.category, function.labels) == (
        "prom.query", "1.0.0", "prom", {"team": "ops"},
    )  # fmt: skip
    assert pack.origins == {"prom.query": "descriptors/prom.query.json"}
    assert pack.ui["prom.query"].schema == {"type": "object"}
    assert pack.ui["prom.query"].uischema == {"fields": {"expr": {"widget": "code"}}}
    assert pack.descriptor_sets == {"types.pb": b""}
    assert [plugin.path for plugin in pack.web_plugins] == ["web-plugin/echarts_plugin.js"]
    assert "README.md" in pack.files


def test_what_is_odd_is_noted_and_no_fault():
    notes = {(note.file, note.path): note.message.en for note in read_pack(wild(), "prom").notes}
    assert notes.keys() == {
        ("manifest.json", "$.functions[1]"),
        ("manifest.json", "$.web_plugins[1]"),
        ("ui/prom.gone.uischema.json", "$"),
        ("descriptors/prom.query.json", "$.transport.proto"),
    }
    assert notes["manifest.json", "$.functions[1]"] == "nothing describes prom.query_range"


def test_a_component_says_everything_of_itself():
    files = encoded(
        {"manifest.json": COMPONENT, "descriptors/deep/er/item.give.json": {"id": "item.give", "version": "2"}}
    )
    pack = read_pack(files)
    assert (pack.name, pack.version, pack.category) == ("items", "1.2.0", "economy")
    assert pack.manifest.name == {"en": "Items of players"}
    assert [(each.id, each.version) for each in pack.manifest.dependencies] == [("player", "^1.2"), ("mail", "")]
    (function,) = pack.functions
    assert (function.version, function.enabled, function.entity, function.operation) == ("2", False, "item", "give")
    assert [entity.id for entity in pack.entities] == ["item"]
    assert pack.origins["item"] == "manifest.json"


def test_a_provider_manifest_describes_its_functions_itself():
    pack = read_pack(encoded({"manifest.json": PROVIDER}))
    assert (pack.name, pack.version) == ("go-sdk", "1.0.0")
    assert [each.id for each in pack.functions] == ["guild.close", "guild.list"]
    assert pack.functions[1].params == {"type": "object"}
    assert [each.id for each in pack.entities] == ["guild"]


def test_a_file_goes_before_what_a_provider_manifest_says():
    files = encoded({"manifest.json": PROVIDER, "descriptors/a.json": {"id": "guild.list", "version": "9"}})
    pack = read_pack(files)
    assert [(each.id, each.version) for each in pack.functions] == [("guild.close", ""), ("guild.list", "9")]
    assert [note.message.en for note in pack.notes] == ["guild.list is described in descriptors/a.json, which counts"]


@pytest.mark.parametrize(
    "dependencies",
    [
        ["player@^1.2", "mail"],
        ["player ^1.2", {"name": "mail"}],
        {"player": "^1.2", "mail": ""},
        ["player^1.2", "mail:*"],
    ],
)
def test_dependencies_are_read_in_every_spelling(dependencies: Any):
    pack = read_pack(pack_files("a", ["a.f"], dependencies=dependencies))
    assert [(each.id, each.version.strip("*")) for each in pack.manifest.dependencies] == [
        ("player", "^1.2"),
        ("mail", ""),
    ]


@pytest.mark.parametrize("name", ["p0", "v2", "a1.0", "1"])
def test_a_number_at_the_end_of_a_dependency_is_part_of_its_name(name: str):
    (need,) = read_pack(pack_files("a", ["a.f"], dependencies=[name])).manifest.dependencies
    assert (need.id, need.version) == (name, "")


def test_forms_below_descriptors_are_no_descriptions():
    files = {**pack_files("a", ["a.f"]), "descriptors/ui/a.f.uischema.json": b"{}", "descriptors/manifest.json": b"{}"}
    assert [each.id for each in read_pack(files).functions] == ["a.f"]


# ------------------------------------------------------------------------------------------------ what is refused


def test_all_faults_are_told_at_once_with_their_places():
    files = wild(
        **{
            "manifest.json": {"id": "a/b", "functions": [{}], "dependencies": ["../x"]},
            "descriptors/prom.query.json": {"id": "prom.query", "params": {"type": "nothing"}},
            "descriptors/broken.json": b"{",
            "descriptors/none.json": b"{}",
            "ui/prom.query.schema.json": {"type": 5},
            "ui/prom.query.uischema.json": [],
            "types.pb": b"\xff",
            SIGNATURE_FILE: b"{}",
        }
    )
    with pytest.raises(FaultyPack) as error:
        read_pack(files, "prom")
    found = told(error)
    for place in [
        ("manifest.json", "$.id"),
        ("manifest.json", "$.functions[0].id"),
        ("manifest.json", "$.dependencies[0]"),
        ("descriptors/prom.query.json", "$.params.type"),
        ("descriptors/broken.json", "$"),
        ("descriptors/none.json", "$.id"),
        ("ui/prom.query.schema.json", "$.type"),
        ("ui/prom.query.uischema.json", "$"),
        ("types.pb", "$"),
        (SIGNATURE_FILE, "$"),
    ]:
        assert place in found
    assert all(fault.message.zh for fault in error.value.faults)


def test_one_function_described_twice_is_refused_and_both_files_are_named():
    files = {**pack_files("a", ["a.f"]), "descriptors/other/a.json": b'{"id":"a.f"}'}
    with pytest.raises(
        FaultyPack, match=r"descriptors/other/a\.json: \$\.id: a\.f is described in descriptors/a\.f\.json"
    ):
        read_pack(files)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, "list", "export", "import", "reload"])
def test_a_name_that_cannot_be_one_is_refused(name: str):
    with pytest.raises(FaultyPack, match="needs a name"):
        read_pack(wild(), name)


def test_more_descriptions_than_can_be_checked_are_not_looked_into():
    large = b" " * (1024 * 1024)
    files = wild(**{f"descriptors/f{number}.json": large for number in range(33)})
    with pytest.raises(FaultyPack) as error:
        read_pack(files, "prom")
    assert told(error) == [("descriptors", "$")]


def test_so_many_faults_are_told_and_no_more():
    with pytest.raises(FaultyPack) as error:
        read_pack(wild(**{f"descriptors/f{number}.json": b"{}" for number in range(500)}), "prom")
    assert len(error.value.faults) == 200


def test_names_that_only_begin_like_words_of_the_address_are_taken():
    assert read_pack(wild(), "listing").name == "listing"


def test_no_manifest_is_a_fault_that_says_what_a_pack_is():
    with pytest.raises(FaultyPack, match="a pack is a folder with a manifest"):
        read_packs({"descriptors/a.json": b"{}"})


@pytest.mark.parametrize("text", [b'{"id":"a","id":"b"}', b'{"id":"a","x":NaN}', b"\xff", b"[" * 100_000, b'"x"', b"5"])
def test_a_manifest_that_is_no_object_of_json_is_refused(text: bytes):
    with pytest.raises(FaultyPack):
        read_pack({"manifest.json": text}, "a")


# ------------------------------------------------------------------------------------------------ types


def test_a_type_that_the_pack_has_is_not_noted():
    notes = read_pack(wild(**{"types.pb": a_set("Query")}), "prom").notes
    assert "$.transport.proto" not in {note.path for note in notes}


def test_a_type_that_nothing_has_is_noted():
    notes = {note.path: note.message.en for note in read_pack(wild(**{"types.pb": a_set("Other")}), "prom").notes}
    assert "prom.v1.Query" in notes["$.transport.proto"]


# ------------------------------------------------------------------------------------------------ several packs


def bundle(*packs: str) -> dict[str, bytes]:
    return {f"{name}/{file}": content for name in packs for file, content in pack_files(name, [f"{name}.f"]).items()}


def test_an_archive_may_hold_packs_in_folders():
    assert [pack.name for pack in read_packs(bundle("b", "a"))] == ["a", "b"]


def test_what_was_written_together_is_read_again():
    packs = read_packs({**bundle("b"), **{f"wild/{name}": content for name, content in wild().items()}})
    again = read_packs(read_archive(write_packs(packs)))
    assert [(pack.name, pack.digest) for pack in again] == [(pack.name, pack.digest) for pack in packs]
    one = read_packs(read_archive(write_packs([packs[1]])))
    assert [(pack.name, pack.digest) for pack in one] == [("wild", packs[1].digest)]


def test_faults_of_several_packs_name_the_folder():
    files = {**bundle("a", "b"), "a/descriptors/x.json": b"{}", "b/descriptors/y.json": b"{}", "stray.txt": b""}
    with pytest.raises(FaultyPack) as error:
        read_packs(files)
    assert told(error) == [("stray.txt", "$"), ("a/descriptors/x.json", "$.id"), ("b/descriptors/y.json", "$.id")]


def test_two_packs_of_one_name_in_one_archive_are_refused():
    files = bundle("a") | {f"b/{file}": content for file, content in pack_files("a", ["b.f"]).items()}
    with pytest.raises(FaultyPack, match="two packs are named a"):
        read_packs(files)


def test_a_pack_does_not_change_on_its_way_through_an_archive():
    pack = read_pack(wild(), "prom")
    again = read_pack(read_archive(pack.archive()), "prom")
    assert again == pack
    assert again.digest == pack.digest
    assert again.archive() == pack.archive() == write_archive(pack.files)


# ------------------------------------------------------------------------------------------------ differences


def a_pack(*functions: str, **manifest: Any) -> Pack:
    return read_pack(pack_files("a", functions, **manifest))


def test_nothing_differs_between_a_pack_and_itself():
    found = difference(a_pack("a.f"), a_pack("a.f"))
    assert (found.verdict, found.files, found.descriptions) == ("same", (), ())


def test_a_pack_that_was_not_there_is_new():
    found = difference(None, a_pack("a.f"))
    assert (found.verdict, found.old_version, found.new_version) == ("new", "", "1.0.0")
    assert [(each.name, each.what) for each in found.descriptions] == [("a.f", "added")]


def test_a_function_that_goes_breaks_who_calls_it_and_one_that_comes_does_not():
    assert difference(a_pack("a.f", "a.g"), a_pack("a.f")).verdict == "breaking"
    assert difference(a_pack("a.f"), a_pack("a.f", "a.g")).verdict == "compatible"
    assert difference(a_pack("a.f"), None).verdict == "breaking"


def test_a_changed_function_says_what_changed_in_it_and_whether_it_breaks():
    def described(params: dict[str, Any]) -> Pack:
        return read_pack(
            {**pack_files("a", ["a.f"]), **encoded({"descriptors/a.f.json": {"id": "a.f", "params": params}})}
        )

    one = {"type": "object", "properties": {"x": {"type": "string"}}}
    two = {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}}
    found = difference(described(one), described({**two, "required": ["y"]}))
    assert (found.verdict, found.descriptions[0].breaking) == ("breaking", True)
    assert found.descriptions[0].changes[0].why.zh
    assert difference(described(one), described(two)).verdict == "compatible"


@pytest.mark.parametrize(
    ("file", "content", "path"),
    [
        ("ui/prom.query.uischema.json", {"fields": {"expr": {"show_if": "$.a = 1"}}}, "$.fields.expr.show_if"),
        (
            "descriptors/prom.query_range.json",
            {"id": "prom.query_range", "ui": {"fields": {"expr": {"fields": {"x": {"required_if": "("}}}}}},
            "$.ui.fields.expr.fields.x.required_if",
        ),
    ],
)
def test_a_condition_that_cannot_be_read_is_a_fault_of_the_pack(file: str, content: Any, path: str) -> None:
    with pytest.raises(FaultyPack) as error:
        read_pack(wild(**{file: content}), "prom")
    assert told(error) == [(file, path)]
    assert "无法读取的条件" in error.value.faults[0].message.zh


def test_a_view_that_cannot_be_shown_is_noted() -> None:
    views = [
        {"id": "ok", "show_if": "$.data.result", "transform": {"expr": "$.data"}},
        {"id": "t", "transform": {"template": {"forEach": {"path": "$.["}}}},
        {"id": "u", "show_if": "data >"},
    ]
    described = {"id": "prom.query_range", "outputs": {"views": views}}
    pack = read_pack(wild(**{"descriptors/prom.query_range.json": described}), "prom")
    noted = [(note.file, note.path) for note in pack.notes if note.path.startswith("$.outputs")]
    assert noted == [
        ("descriptors/prom.query_range.json", "$.outputs.views[1].transform.template.forEach.path"),
        ("descriptors/prom.query_range.json", "$.outputs.views[2].show_if"),
    ]
