"""From files to a pack, or to everything that is wrong with it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from croupier.descriptors import Descriptor, EntityDescriptor, Fault, FaultyDescriptor, FunctionDescriptor, Message
from croupier.descriptors.faults import json_path
from croupier.descriptors.loading import is_descriptor_name
from croupier.descriptors.manifest import read_manifest
from croupier.descriptors.reading import describe
from croupier.errors import InvalidArgument, NotFound
from croupier.packs.bounds import DESCRIBED_BYTES
from croupier.packs.manifest import MANIFEST_FILE, PACK_NAME, Listed, Manifest, WebPlugin, read_manifest_file
from croupier.packs.pack import FaultyPack, FormSchemas, Pack
from croupier.packs.remembered import Remembered
from croupier.packs.signing import SIGNATURE_FILE, Signature, parse_signature

MOST_FAULTS = 200
"""How many faults of one pack are told."""
MOST_PACKS = 200
"""How many packs one archive may hold."""

_SCHEMA, _UISCHEMA = ".schema.json", ".uischema.json"


def read_packs(files: Mapping[str, bytes], name: str = "") -> list[Pack]:
    """The pack that `files` are, or the packs that they hold in a folder each, by name.

    `name` is what a pack that does not say its own is called; one in a folder is called as the folder.
    Raises FaultyPack with the faults of all of them.
    """
    if MANIFEST_FILE in files:
        return [read_pack(files, name)]
    folders = sorted(
        file.split("/")[0] for file in files if file.count("/") == 1 and file.endswith("/" + MANIFEST_FILE)
    )
    if not folders:
        raise FaultyPack([_no_manifest(MANIFEST_FILE)])
    if len(folders) > MOST_PACKS:
        raise FaultyPack(
            [_fault(MANIFEST_FILE, f"more than {MOST_PACKS} packs in one archive", f"一个归档最多 {MOST_PACKS} 个包")]
        )
    inside: dict[str, dict[str, bytes]] = {folder: {} for folder in folders}
    faults, packs = [], []
    for file, content in files.items():
        folder, _, rest = file.partition("/")
        if folder in inside and rest:
            inside[folder][rest] = content
        else:
            faults.append(
                _fault(
                    file,
                    "belongs to no pack: its folder has no manifest.json",
                    "不属于任何包：其目录没有 manifest.json",
                )
            )
    for folder, its_files in inside.items():
        try:
            packs.append(read_pack(its_files, folder))
        except FaultyPack as error:
            faults += [replace(fault, file=f"{folder}/{fault.file}") for fault in error.faults]
    for number, pack in enumerate(packs):
        if any(pack.name == other.name for other in packs[:number]):
            faults.append(_fault(MANIFEST_FILE, f"two packs are named {pack.name}", f"有两个名为 {pack.name} 的包"))
    if faults:
        raise FaultyPack(faults[:MOST_FAULTS])
    return sorted(packs, key=lambda pack: pack.name)


def read_pack(files: Mapping[str, bytes], name: str = "", remembered: Remembered | None = None) -> Pack:
    """The pack that `files` (by canonical name) are. `name` is what it is called where it does not say so itself.

    Takes up to seconds; run it in a thread. Whoever reads a pack again and again gives the same `remembered` each time.
    Raises FaultyPack.
    """
    return _Reading(files, remembered or Remembered()).pack(name)


def revised(pack: Pack, changed: Mapping[str, bytes], remembered: Remembered) -> Pack | None:
    """`pack` with other contents of some of its files, where those describe functions that it has and nothing else differs.

    Reading it whole would give the same; None where it has to be. `remembered` is what `pack` was read with.
    """
    reading = _Reading(changed, remembered)
    functions = reading.functions(pack)
    if functions is None:
        return None
    by_id = {each.id: each for each in pack.functions}
    by_id.update((each.id, each) for each in _completed(functions, pack.manifest, remembered))
    return replace(
        pack,
        functions=tuple(by_id.values()),
        files={**pack.files, **changed},
        notes=(*(note for note in pack.notes if note.file not in changed), *reading.notes),
    )


def _fault(file: str, en: str, zh: str, path: str = "$") -> Fault:
    return Fault(file=file, path=path, message=Message(en, zh))


def _no_manifest(file: str) -> Fault:
    return _fault(
        file,
        "is missing: a pack is a folder with a manifest.json, or an archive of such folders",
        "缺少：包是含 manifest.json 的目录或其归档",
    )


class _Reading:
    """One pack being read; what is wrong gathers on the way."""

    def __init__(self, files: Mapping[str, bytes], remembered: Remembered) -> None:
        self._remembered = remembered
        self._files = {name: content for name, content in files.items() if name != SIGNATURE_FILE}
        self._seal = files.get(SIGNATURE_FILE)
        self._faults: list[Fault] = []
        self._notes: list[Fault] = []
        self._origins: dict[str, str] = {}

    def pack(self, name: str) -> Pack:
        self._check_size()
        manifest = self._manifest()
        described = [*self._described(), *self._inline(manifest)]
        functions = [each for each in described if isinstance(each, FunctionDescriptor)]
        sets = {file: content for file, content in self._files.items() if file.endswith(".pb")}
        self._check_types(functions, sets)
        ui = self._forms({each.id for each in functions})
        self._check_forms(functions, ui)
        signature = self._signature()
        self._check_listed(manifest, functions)
        name = self._name(manifest, name)
        if self._faults:
            raise FaultyPack(sorted(set(self._faults))[:MOST_FAULTS])
        return Pack(
            name=name,
            manifest=manifest,
            functions=tuple(sorted(_completed(functions, manifest, self._remembered), key=lambda each: each.id)),
            entities=tuple(
                sorted((each for each in described if isinstance(each, EntityDescriptor)), key=lambda each: each.id)
            ),
            origins=self._origins,
            ui=ui,
            descriptor_sets=sets,
            web_plugins=tuple(self._plugins(manifest)),
            files=self._files,
            signature=signature,
            notes=tuple(self._notes),
        )

    def functions(self, pack: Pack) -> list[FunctionDescriptor] | None:
        """What the files describe, where each describes a function that `pack` has from the same file, and has no types."""
        if not all(_is_descriptor(file) and file in pack.files for file in self._files):
            return None
        described = list(self._described())
        functions = [
            each for each in described if isinstance(each, FunctionDescriptor) and each.transport.proto is None
        ]
        self._check_forms(functions, pack.ui)
        known = all(pack.origins.get(name) == file for name, file in self._origins.items())
        whole = known and len(functions) == len(self._files) and not pack.descriptor_sets
        return functions if whole and not self._faults else None

    @property
    def notes(self) -> list[Fault]:
        return self._notes

    def _check_size(self) -> None:
        """Raises FaultyPack: what is too much to be checked is not looked into."""
        said = sum(len(content) for file, content in self._files.items() if file.startswith(("descriptors/", "ui/")))
        if said > DESCRIBED_BYTES:
            en = f"descriptions and forms together have more than {DESCRIBED_BYTES} bytes: make two packs of it"
            raise FaultyPack([_fault("descriptors", en, f"描述与表单合计超过 {DESCRIBED_BYTES} 字节，请拆成两个包")])

    # ------------------------------------------------------------------------------------------------ manifest

    def _manifest(self) -> Manifest:
        if MANIFEST_FILE not in self._files:
            self._faults.append(_no_manifest(MANIFEST_FILE))
            return Manifest()
        manifest, faults = read_manifest_file(self._files[MANIFEST_FILE])
        self._faults += faults
        return manifest

    def _name(self, manifest: Manifest, given: str) -> str:
        name = manifest.id or given
        if not PACK_NAME.fullmatch(name):
            said = f"{name[:64]!a} cannot be one" if name else "it has none"
            self._faults.append(
                _fault(
                    MANIFEST_FILE,
                    f"the pack needs a name of 1 to 64 letters, digits, `.`, `_` and `-` ({said}): write `id`",
                    "包需要名称（1 至 64 个字母、数字、.、_、-），请写 id",
                    "$.id",
                )
            )
        return name

    def _inline(self, manifest: Manifest) -> Iterator[Descriptor]:
        """What a manifest describes by itself: a provider's everything, a component's entities that have a schema.

        A file of its own goes before it.
        """
        if manifest.provider is not None:
            said = read_manifest(self._files[MANIFEST_FILE], MANIFEST_FILE)
            self._faults += said.faults
            described: list[Descriptor | None] = [*said.functions, *said.entities]
        else:
            described = [self._entity(number, value) for number, value in enumerate(manifest.entities)]
        for each in described:
            if each is None:
                continue
            known = self._origins.setdefault(each.id, MANIFEST_FILE)
            if known == MANIFEST_FILE:
                yield each
            else:
                note = f"{each.id} is described in {known}, which counts", f"{each.id} 以 {known} 中的描述为准"
                self._notes.append(_fault(MANIFEST_FILE, *note))

    def _entity(self, number: int, value: Any) -> Descriptor | None:
        """A component's entity, where it is more than a name."""
        if not isinstance(value, dict) or "schema" not in value:
            return None
        descriptor, faults = describe(value, MANIFEST_FILE, ("entities", number), kind="entity")
        self._faults += faults
        if descriptor is not None and self._origins.get(descriptor.id) == MANIFEST_FILE:
            said = f"{descriptor.id} is described twice", f"{descriptor.id} 描述了两次"
            self._faults.append(_fault(MANIFEST_FILE, *said, json_path(("entities", number))))
        return descriptor

    # ------------------------------------------------------------------------------------------------ files

    def _described(self) -> Iterator[Descriptor]:
        for file, content in self._files.items():
            if len(self._faults) >= MOST_FAULTS:  # no more are told
                return
            if not _is_descriptor(file):
                continue
            try:
                descriptor = self._remembered.descriptor(file, content)
            except FaultyDescriptor as error:
                self._faults += error.faults
                continue
            if self._is_first(descriptor, file):
                yield descriptor

    def _is_first(self, descriptor: Descriptor, file: str) -> bool:
        known = self._origins.setdefault(descriptor.id, file)
        if known != file:
            said = f"{descriptor.id} is described in {known} already", f"{descriptor.id} 已在 {known} 中描述"
            self._faults.append(_fault(file, *said, "$.id"))
        return known == file

    def _forms(self, functions: set[str]) -> dict[str, FormSchemas]:
        found: dict[str, FormSchemas] = {}
        for file in self._files:
            folder, _, name = file.rpartition("/")
            for ending, field in ((_SCHEMA, "schema"), (_UISCHEMA, "uischema")):
                if folder == "ui" and name.endswith(ending):
                    function_id = name.removesuffix(ending)
                    if function_id not in functions:
                        self._notes.append(
                            _fault(file, f"nothing describes {function_id}", f"没有 {function_id} 的描述")
                        )
                    value = self._form(file, is_schema=field == "schema")
                    found[function_id] = replace(found.get(function_id, FormSchemas()), **{field: value})
        return found

    def _form(self, file: str, *, is_schema: bool) -> Mapping[str, Any] | None:
        value, faults = self._remembered.form(file, self._files[file], is_schema=is_schema)
        self._faults += faults
        return value

    def _check_forms(self, functions: list[FunctionDescriptor], ui: Mapping[str, FormSchemas]) -> None:
        """Conditions that cannot be read would let no call through; views that cannot be shown do no harm."""
        for each in functions:
            file = self._origins[each.id]
            uischema = ui[each.id].uischema if each.id in ui else None
            conditions, views = self._remembered.looks(file, each, uischema)
            said, at = (file, ("ui",)) if uischema is None else (f"ui/{each.id}{_UISCHEMA}", ())
            self._faults += [Fault(file=said, path=json_path((*at, *path)), message=told) for path, told in conditions]
            self._notes += [Fault(file=file, path=json_path(path), message=told) for path, told in views]

    def _check_types(self, functions: list[FunctionDescriptor], sets: Mapping[str, bytes]) -> None:
        """Whether the FileDescriptorSets can be used, and have what functions are sent as."""
        try:
            types = self._remembered.types(sets)
        except InvalidArgument as error:
            self._faults += [_fault(file, said, said) for file, said in error.details.items()]
            return
        for each in functions:
            proto = each.transport.proto
            if proto is None:
                continue
            try:
                types.codec(proto.request_fqn, proto.response_fqn)
            except (NotFound, InvalidArgument) as error:
                told = f"{each.id} cannot be sent as protobuf: {error.message}"
                zh = f"{each.id} 无法以 protobuf 发送：{error.message}"
                self._notes.append(_fault(self._origins[each.id], told, zh, "$.transport.proto"))

    def _plugins(self, manifest: Manifest) -> Iterator[WebPlugin]:
        for number, plugin in enumerate(manifest.web_plugins):
            path = plugin.path
            file = path.removeprefix("./")
            if file in self._files:
                yield plugin if file == path else plugin.model_copy(update={"path": file})
            else:
                self._notes.append(
                    _fault(
                        MANIFEST_FILE,
                        f"there is no file {path}",
                        f"没有文件 {path}",
                        json_path(("web_plugins", number)),
                    )
                )

    def _check_listed(self, manifest: Manifest, functions: list[FunctionDescriptor]) -> None:
        described = {each.id for each in functions}
        for number, listed in enumerate(manifest.functions):
            if listed.id not in described:
                path = json_path(("functions", number))
                self._notes.append(
                    _fault(MANIFEST_FILE, f"nothing describes {listed.id}", f"没有 {listed.id} 的描述", path)
                )

    def _signature(self) -> Signature | None:
        try:
            return None if self._seal is None else parse_signature(self._seal)
        except InvalidArgument as error:
            self._faults.append(_fault(SIGNATURE_FILE, error.message, "不是有效的签名，请重新签名"))
            return None


def _is_descriptor(file: str) -> bool:
    folders = file.split("/")
    return folders[0] == "descriptors" and "ui" not in folders[1:-1] and is_descriptor_name(folders[-1])


def _completed(
    functions: list[FunctionDescriptor], manifest: Manifest, remembered: Remembered
) -> Iterator[FunctionDescriptor]:
    """What a manifest says of a function counts where its description says nothing; either may disable it."""
    listed = {each.id: each for each in manifest.functions}
    for each in functions:
        more = _more(each, listed.get(each.id))
        yield remembered.completed(each, more) if more else each


def _more(described: FunctionDescriptor, listed: Listed | None) -> dict[str, Any]:
    if listed is None:
        return {}
    more: dict[str, Any] = {
        name: getattr(listed, name)
        for name in ("version", "category", "entity", "operation", "labels", "description")
        if getattr(listed, name) and not getattr(described, name)
    }
    if described.enabled and not listed.enabled:
        more["enabled"] = False
    return more
