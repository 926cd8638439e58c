"""Archives that strangers make: read whole or refused whole."""

import contextlib
import gzip
import io
import os
import struct
import tarfile
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.errors import CroupierError, NotFound, PayloadTooLarge
from croupier.packs import tar as reading
from croupier.packs.bounds import ARCHIVE_BYTES, FILE_BYTES, MOST_ENTRIES
from croupier.packs.digest import content_digest
from croupier.packs.folder import read_folder, write_folder
from croupier.packs.refusal import ArchiveRefused
from croupier.packs.tar import read_archive, write_archive

FILES = {"descriptors/a.json": b'{"id":"a"}', "manifest.json": b"{}", "types.pb": b"", "ui/ä.schema.json": b"{}"}


def entry(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **fields) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.size = len(content)
    for field, value in fields.items():
        setattr(made, field, value)
    return made, content


def tar_of(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as tar:
        for made, content in entries:
            tar.addfile(made, io.BytesIO(content))
    return raw.getvalue()


def tgz(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    return gzip.compress(tar_of(*entries, form=form))


def header(name: bytes, size: bytes = b"00000000000\0", kind: bytes = b"0") -> bytes:
    """A header as it is on the wire, which tarfile would not write."""
    raw = bytearray(512)
    raw[0 : len(name)] = name
    raw[100:108] = b"0000644\0"
    raw[124:136] = size
    raw[136:148] = b"00000000000\0"
    raw[148:156] = b" " * 8
    raw[156:157] = kind
    raw[257:265] = b"ustar\x0000"
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def octal(size: int) -> bytes:
    return b"%011o\0" % size


END = bytes(1024)


# ------------------------------------------------------------------------------------------------ what is taken


def test_what_was_written_is_read_again():
    assert read_archive(write_archive(FILES)) == FILES


def test_the_same_files_make_the_same_bytes():
    assert write_archive(FILES) == write_archive(dict(reversed(FILES.items())))


def test_an_archive_holds_no_time_and_nobody():
    packed = write_archive(FILES)
    assert packed[4:10] == b"\0\0\0\0\x02\xff"  # no time, the greatest strength, no system
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in tar} == {(0, 0, 0, "", "")}


def test_a_leading_dot_and_folders_make_no_difference():
    folders = [entry("./", kind=tarfile.DIRTYPE), entry("./ui/", kind=tarfile.DIRTYPE)]
    files = [entry("./" + name, content) for name, content in FILES.items()]
    assert read_archive(tgz(*folders, *files)) == FILES


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar_is_read(form: int):
    long = {f"{'d' * 90}/{'n' * 90}.json": b"x" * 5000, "b": b""}
    assert read_archive(tgz(*(entry(*each) for each in long.items()), form=form)) == dict(sorted(long.items()))


def test_hidden_files_are_no_part_of_a_pack():
    found = read_archive(tgz(entry("._a"), entry(".git/config"), entry("__MACOSX/a"), entry("ui/.x"), entry("a", b"1")))
    assert found == {"a": b"1"}


def test_names_are_brought_to_one_form():
    assert list(read_archive(tgz(entry("a\u0308.json")))) == ["\u00e4.json"]


def test_the_digest_is_of_the_content_and_not_of_its_packing():
    files = {"a": b"1", "b": b"2"}
    assert content_digest(files) == content_digest(dict(reversed(files.items())))
    others = [{"a": b"12", "b": b""}, {"a": b"1"}, {"a": b"2", "b": b"1"}, {"ab": b"12"}, {}, {"a": b"1", "c": b"2"}]
    assert len({content_digest(each) for each in [files, *others]}) == 7


@given(st.dictionaries(st.from_regex(r"\A[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}\.json\Z"), st.binary(max_size=2000)))
def test_any_files_survive_the_way_through_an_archive(files: dict[str, bytes]):
    assert read_archive(write_archive(files)) == dict(sorted(files.items()))


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../a", "leads out"),
        ("a/../../b", "leads out"),
        ("ui/..", "leads out"),
        ("/etc/passwd", "absolute"),
        ("//a", "absolute"),
        ("C:/a", "absolute"),
        ("c:a", "absolute"),
        ("a\\..\\b", "backslash"),
        ("a\nb", "control characters"),
        ("a\x1b[2Jb", "control characters"),
        ("a\u202egnp.json", "control characters"),
        ("a\u2028b", "control characters"),
        ("a//b", "empty part"),
        ("a/b./c", "ends with a dot"),
        ("a ", "ends with a dot or a space"),
        ("n" * 201, "longer than 200 bytes"),
        ("ä" * 101, "longer than 200 bytes"),
        ("d/" * 9 + "a", "more than 8 folders deep"),
    ],
)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_a_name_that_leads_out_or_deceives_is_refused(name: str, why: str, kind: bytes):
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with pytest.raises(ArchiveRefused, match=why):
            read_archive(tgz(entry("manifest.json", b"{}"), entry(name, kind=kind), form=form))


def test_a_name_that_is_not_utf_8_is_refused():
    with pytest.raises(ArchiveRefused, match="not UTF-8"):
        read_archive(gzip.compress(header(b"a\xff") + END))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
        (tarfile.FIFOTYPE, "named pipe"),
        (tarfile.CONTTYPE, "neither a file nor a folder"),
        (b"Z", "neither a file nor a folder"),
        (tarfile.GNUTYPE_SPARSE, "sparse file"),
        (tarfile.GNUTYPE_LONGLINK, "link"),
    ],
)
def test_what_is_neither_file_nor_folder_is_refused(kind: bytes, why: str):
    for link in ("manifest.json", "../../etc/passwd"):
        with pytest.raises(ArchiveRefused, match=why):
            read_archive(tgz(entry("manifest.json", b"{}"), entry("x", kind=kind, linkname=link)))


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("a", "a", "twice"),
        ("a", "./a", "twice"),
        ("./a/./b", "a/b", "twice"),
        ("\u00e4", "a\u0308", "twice"),
        ("a", "A", "only in upper and lower case"),
        ("ui/x", "UI/y", "only in upper and lower case"),
        ("straße", "STRASSE", "only in upper and lower case"),
        ("a", "a/b", "is a file and a folder"),
        ("a/b", "a", "is a file and a folder"),
    ],
)
def test_two_names_that_are_one_file_somewhere_are_refused(first: str, second: str, why: str):
    with pytest.raises(ArchiveRefused, match=why):
        read_archive(tgz(entry(first, b"1"), entry(second, b"2")))


def test_too_many_entries_are_refused_before_they_are_all_read():
    one = gzip.compress(b"".join(header(b"f%d" % number) for number in range(MOST_ENTRIES + 1)) + END)
    with pytest.raises(ArchiveRefused, match="more than 10000 entries"):
        read_archive(one)


def repeated(begins: bytes, block: bytes, times: int) -> bytes:
    """A gzip file of `begins` and `times` of `block`, made without compressing each of them."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(begins) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + (packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)) * times


def test_a_million_entries_are_refused():
    archive = repeated(b"", header(b"folder/", kind=b"5") * 1000, 1000)
    with pytest.raises(ArchiveRefused, match="more than 10000 entries"):
        read_archive(archive)


@pytest.mark.parametrize("begins", [b"", header(b"zeros", b"\x80" + (10 * 1024**3).to_bytes(11, "big")), header(b"f")])
def test_gigabytes_of_zeros_are_refused_in_little_memory(begins: bytes):
    archive = repeated(begins, bytes(8 * 1024 * 1024), 1200)
    assert len(archive) < ARCHIVE_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveRefused, match=r"times its size|larger than"):
            read_archive(archive)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_pack_that_is_large_but_no_bomb_is_refused_by_its_size(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "UNPACKED_BYTES", 100_000)
    noise = os.urandom(60_000)
    assert len(read_archive(tgz(entry("a", noise)))) == 1
    with pytest.raises(ArchiveRefused, match="unpacks to more than 100000 bytes"):
        read_archive(tgz(entry("a", noise), entry("b", noise)))


def test_an_archive_that_is_too_large_is_refused_unread():
    with pytest.raises(PayloadTooLarge):
        read_archive(bytes(ARCHIVE_BYTES + 1))


def test_a_file_that_is_too_large_is_refused_by_its_header():
    archive = gzip.compress(header(b"a", octal(FILE_BYTES + 1)) + END)
    with pytest.raises(ArchiveRefused, match="larger than"):
        read_archive(archive)


@pytest.mark.parametrize("cut", [1, 4, 8, 9, 20, 100])
def test_a_gzip_file_that_is_cut_off_is_refused(cut: int):
    with pytest.raises(ArchiveRefused, match="cut off"):
        read_archive(write_archive(FILES)[:-cut])


@pytest.mark.parametrize("place", [-8, -5, -4, -1])
def test_a_wrong_tail_of_the_gzip_file_is_refused(place: int):
    archive = bytearray(write_archive(FILES))
    archive[place] ^= 1
    with pytest.raises(ArchiveRefused, match="damaged"):
        read_archive(bytes(archive))


@pytest.mark.parametrize("rubbish", [b"\0", b"x", b"x" * 100_000, write_archive(FILES)])
def test_what_follows_the_gzip_file_is_refused(rubbish: bytes):
    with pytest.raises(ArchiveRefused, match="something follows"):
        read_archive(write_archive(FILES) + rubbish)


def test_what_follows_the_end_of_the_archive_is_refused():
    raw = tar_of(entry("a", b"1"))
    with pytest.raises(ArchiveRefused, match="something follows"):
        read_archive(gzip.compress(raw + header(b"hidden") + END))


@pytest.mark.parametrize("kept", [0, 100, 512, 700, 1024, 1100])
def test_an_archive_that_is_cut_off_inside_is_refused(kept: int):
    raw = tar_of(entry("a", b"1" * 300), entry("b", b"2" * 300))
    with pytest.raises(ArchiveRefused, match=r"cut off|damaged"):
        read_archive(gzip.compress(raw[:kept]))


def test_a_damaged_header_is_no_end():
    raw = bytearray(tar_of(entry("a", b"1"), entry("b", b"2")))
    raw[1024 + 3] ^= 0xFF
    with pytest.raises(ArchiveRefused, match="damaged"):
        read_archive(gzip.compress(bytes(raw)))


@pytest.mark.parametrize(
    "archive",
    [b"", b"\x1f\x8b", b"PK\x03\x04zip", tar_of(entry("a")), gzip.compress(b"no tar")],
    ids=["nothing", "two bytes", "a zip", "a tar that is not compressed", "no tar"],
)
def test_what_is_no_archive_is_refused(archive: bytes):
    with pytest.raises(ArchiveRefused):
        read_archive(archive)


# ------------------------------------------------------------------------------------------------ headers that lie


def pax(*fields: tuple[str, str], kind: bytes = b"x") -> bytes:
    records = b""
    for key, value in fields:
        body = f" {key}={value}\n".encode()
        length = len(body) + 1
        while length != len(str(length)) + len(body):
            length = len(str(length)) + len(body)
        records += str(length).encode() + body
    return header(b"pax", octal(len(records)), kind) + padded(records)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(pax(("comment", "x" * 20_000)) + header(b"a"), id="huge"),
        pytest.param(pax(("comment", "x" * 20_000), kind=b"g") + header(b"a"), id="huge and for all"),
        pytest.param(header(b"L", octal(20_000), b"L") + bytes(20_480) + header(b"a"), id="a long name that is too long"),
        pytest.param(header(b"x", b"\xff" * 12, b"x") + header(b"a"), id="of negative size"),
        pytest.param(header(b"a", b"\xff" * 11 + b"\0"), id="a file of negative size"),
        pytest.param(header(b"a", b"\x80" + b"\xff" * 11), id="a file of astronomic size"),
        pytest.param(pax(("size", "-1024")) + header(b"a") + header(b"b"), id="a size that leads back"),
        pytest.param(pax(("size", "99999999999")) + header(b"a"), id="a size that leads on"),
        pytest.param(pax(("size", "1" * 4000)) + header(b"a"), id="a number without end"),
        pytest.param(pax(("hdrcharset", "1" * 4000)) + header(b"a"), id="digits that are searched again and again"),
        pytest.param(pax(("path", "../a")) + header(b"a"), id="a path that leads out"),
        pytest.param(pax(("path", "/a"), kind=b"g") + header(b"a"), id="a path for all"),
        pytest.param(pax(("path", "a\0b")) + header(b"a"), id="a path with a zero"),
        pytest.param(b"".join(pax(("a", "1")) for _ in range(5000)) + header(b"a"), id="a chain"),
        pytest.param(b"".join(pax(("a", "1"), kind=b"g") + header(b"f%d" % n) for n in range(20)), id="many for all"),
        pytest.param(pax(("GNU.sparse.map", "0,1"), ("GNU.sparse.size", "1")) + header(b"a"), id="sparse 0.1"),
        pytest.param(pax(("GNU.sparse.numblocks", "1"), ("GNU.sparse.size", "9")) + header(b"a"), id="sparse 0.0"),
        pytest.param(
            pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"))
            + header(b"a", octal(4096)) + padded(b"9" * 4096), id="sparse 1.0",
        ),
        pytest.param(header(b"x", octal(3), b"x") + padded(b"0 ="), id="a record of no length"),
    ],
)  # fmt: skip
def test_a_header_that_lies_is_refused(raw: bytes):
    with pytest.raises(ArchiveRefused):
        read_archive(gzip.compress(raw + END))


def test_a_header_that_only_says_more_is_heeded():
    raw = pax(("path", "descriptors/a.json"), ("mtime", "1700000000.123456789")) + header(b"short") + END
    assert read_archive(gzip.compress(raw)) == {"descriptors/a.json": b""}


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=12), st.booleans())
def test_damage_anywhere_is_refused_or_harmless(damage: list[tuple[int, int]], inside: bool):
    entries = [entry(name, content) for name, content in FILES.items()]
    archive = bytearray(tar_of(*entries, form=tarfile.PAX_FORMAT) if inside else tgz(*entries))
    for place, value in damage:
        archive[place % len(archive)] = value
    with contextlib.suppress(CroupierError):
        read_archive(gzip.compress(bytes(archive)) if inside else bytes(archive))


@given(st.binary(max_size=3000), st.integers(0, 3))
def test_rubbish_is_refused_or_harmless(rubbish: bytes, headers: int):
    good = b"".join(header(b"f%d" % number) for number in range(headers))
    with contextlib.suppress(CroupierError):
        read_archive(gzip.compress(good + rubbish))


def test_a_wrong_length_in_the_tail_is_refused():
    archive = write_archive(FILES)
    with pytest.raises(ArchiveRefused, match="damaged"):
        read_archive(archive[:-4] + struct.pack("<I", 7))


# ------------------------------------------------------------------------------------------------ folders


def test_a_folder_and_its_archive_are_one_pack(tmp_path: Path):
    write_folder(tmp_path / "pack", FILES)
    (tmp_path / "pack" / ".git").mkdir()
    (tmp_path / "pack" / ".git" / "config").write_text("x")
    assert read_folder(tmp_path / "pack") == read_archive(write_archive(FILES)) == FILES


def test_a_link_in_a_folder_is_refused(tmp_path: Path):
    (tmp_path / "secret").write_text("x")
    write_folder(tmp_path / "pack", FILES)
    (tmp_path / "pack" / "link.json").symlink_to(tmp_path / "secret")
    with pytest.raises(ArchiveRefused, match="symbolic link"):
        read_folder(tmp_path / "pack")


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path):
    write_folder(tmp_path / "other", FILES)
    write_folder(tmp_path / "pack", FILES)
    (tmp_path / "pack" / "more").symlink_to(tmp_path / "other")
    with pytest.raises(ArchiveRefused, match="symbolic link"):
        read_folder(tmp_path / "pack")


def test_a_pipe_in_a_folder_is_refused_without_waiting_for_its_writer(tmp_path: Path):
    write_folder(tmp_path / "pack", FILES)
    os.mkfifo(tmp_path / "pack" / "pipe")
    with pytest.raises(ArchiveRefused, match="neither a file nor a folder"):
        read_folder(tmp_path / "pack")


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path):
    with pytest.raises(NotFound):
        read_folder(tmp_path / "nowhere")


def test_no_file_is_written_over(tmp_path: Path):
    write_folder(tmp_path, {"a": b"1"})
    with pytest.raises(FileExistsError):
        write_folder(tmp_path, {"a": b"2"})
