"""Files made to deceive or to exhaust the reader; each ends with a name, in the ordinary process."""

import io
import zipfile

import pytest

from documents.parse import FORMATS, ParseFailed, format_of, parse_file
from documents.parse.failures import SENTENCES
from tests.documents import samples

MAIN = "word/document.xml"


def failure(path):
    with pytest.raises(ParseFailed) as caught:
        parse_file(path, path.name)
    return caught.value.code


@pytest.fixture
def letter(tmp_path):
    return samples.docx_of(tmp_path / "letter.docx")


@pytest.mark.parametrize("ending", sorted(FORMATS))
def test_an_empty_file_is_empty_in_every_format(ending):
    with pytest.raises(ParseFailed) as caught:
        format_of(f"a.{ending}", b"")

    assert caught.value.code == "empty"


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("page.pdf", b"<html><body>Not a PDF</body></html>"),
        ("two.pdf", b"PK\x03\x04" + b"\x00" * 20 + b"%PDF-1.7"),
        ("tool.txt", b"\x7fELF\x02\x01"),
        ("picture.md", b"\x89PNG\r\n"),
        ("paper.txt", b"%PDF-1.4\n"),
        ("book.xlsx", b"name,amount\n"),
        ("old.docx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 64),
        ("words.html", b"no tag in it"),
        ("book.epub", b"%PDF-1.7"),
        ("text.odt", b"{\\rtf1"),
        ("text.rtf", b"just words"),
        ("mail.msg", b"From: somebody\n"),
        ("mail.eml", b"No header is in this.\nFrom: none"),
        ("binary.csv", b"a,b\x00\x01\x02\x03"),
    ],
)
def test_content_must_agree_with_the_name(name, head):
    with pytest.raises(ParseFailed) as caught:
        format_of(name, head)

    assert caught.value.code == "wrong_type"


@pytest.mark.parametrize("name", ["run.exe", "noending", "archive.zip", "a.pdf.sh"])
def test_what_we_cannot_read_is_unsupported(name):
    with pytest.raises(ParseFailed) as caught:
        format_of(name, b"%PDF-1.7")

    assert caught.value.code == "unsupported"


def test_a_protected_office_file_is_encrypted(tmp_path):
    content = bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 1000 + "EncryptedPackage".encode("utf-16-le")

    assert failure(samples.text(tmp_path / "a.docx", content)) == "encrypted"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_part_that_defines_entities_is_refused(tmp_path, letter, encoding):
    laughs = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        "<w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:body></w:document>"
    )

    assert failure(samples.with_part(letter, tmp_path / "a.docx", MAIN, laughs.encode(encoding))) == "damaged"


def test_a_large_part_that_defines_entities_is_refused_while_it_is_read(tmp_path):
    book = samples.xlsx(tmp_path / "book.xlsx", {"One": [["a"]]})
    sheet = samples.part(book, "xl/worksheets/sheet1.xml")
    bad = b'<!DOCTYPE x [<!ENTITY a "ha">]>' + sheet.removeprefix(b'<?xml version="1.0"?>')

    assert failure(samples.with_part(book, tmp_path / "a.xlsx", "xl/worksheets/sheet1.xml", bad)) == "damaged"


def test_entities_of_a_part_that_passes_for_a_picture_are_left_alone(tmp_path, letter):
    laughs = b'<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
    with zipfile.ZipFile(letter) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    main = entries.pop(MAIN).partition(b"?>")[2].replace(b"It is paid.", b"It is &a;&b;paid.")
    entries["word/document.svg"] = laughs + main
    for name in ("_rels/.rels", "[Content_Types].xml", "word/_rels/document.xml.rels"):
        entries[name] = entries[name].replace(b"word/document.xml", b"word/document.svg")
    entries["word/_rels/document.svg.rels"] = entries.pop("word/_rels/document.xml.rels")

    text = parse_file(samples.zipped(tmp_path / "a.docx", entries), "a.docx").text

    assert "Every employee has leave. It is" in text
    assert "ha" not in text.replace("has", "")
    assert "root" not in text


def test_a_sheet_that_counts_its_rows_without_end_is_too_large(tmp_path):
    book = samples.xlsx(tmp_path / "b.xlsx", {"One": [["a"]]})
    name = "xl/worksheets/sheet1.xml"
    sheet = samples.part(book, name).replace(b'<row r="1"', b'<row r="99999999999"')

    assert failure(samples.with_part(book, tmp_path / "a.xlsx", name, sheet)) == "too_large"


def test_a_chain_of_parts_without_end_is_damaged(tmp_path, letter):
    relation = '<Relationship Id="r" Type="x" Target="{}.xml"/>'
    rels = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    with zipfile.ZipFile(letter) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["_rels/.rels"] = entries["_rels/.rels"].replace(
        b"</Relationships>", relation.format("0").encode() + b"</Relationships>"
    )
    for number in range(2_000):
        entries[f"{number}.xml"] = b"<a/>"
        entries[f"_rels/{number}.xml.rels"] = rels.format(relation.format(number + 1)).encode()

    assert failure(samples.zipped(tmp_path / "a.docx", entries)) == "damaged"


def test_a_zip_bomb_is_refused_from_its_directory(tmp_path, letter):
    bomb = samples.with_part(letter, tmp_path / "a.docx", "word/media/a.bin", b"\x00" * 30_000_000)

    assert failure(bomb) == "too_large"


def test_a_part_that_lies_about_its_size_is_refused(tmp_path, letter):
    padded = samples.with_part(letter, tmp_path / "b.docx", MAIN, samples.part(letter, MAIN) + b" " * 100_000)
    data = bytearray(padded.read_bytes())
    directory = data.rfind(b"PK\x01\x02", 0, data.rfind(MAIN.encode()))
    data[directory + 24 : directory + 28] = (200).to_bytes(4, "little")

    assert failure(samples.text(tmp_path / "a.docx", bytes(data))) == "damaged"


def test_too_many_entries_are_refused(tmp_path, letter):
    entries = {f"x/{number}": b"" for number in range(5_001)}

    assert failure(samples.zipped(tmp_path / "a.docx", entries)) == "too_large"


def test_two_parts_of_one_name_are_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.xml", "one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.xml", "two")

    assert failure(samples.text(tmp_path / "a.docx", buffer.getvalue())) == "damaged"


def test_links_and_names_that_climb_touch_nothing(tmp_path, letter):
    climbing = samples.with_part(letter, tmp_path / "a.docx", "../../../climbed.txt", b"x")
    assert parse_file(climbing, "a.docx").title == "Leave"
    assert not list(tmp_path.parent.rglob("climbed.txt"))

    link = zipfile.ZipInfo("word/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(letter, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert failure(letter) == "damaged"


@pytest.mark.parametrize("missing", ["_rels/.rels", MAIN])
def test_an_office_file_without_its_parts_is_damaged(tmp_path, letter, missing):
    with zipfile.ZipFile(letter) as archive:
        entries = {name: archive.read(name) for name in archive.namelist() if name != missing}

    assert failure(samples.zipped(tmp_path / "a.docx", entries)) == "damaged"


def test_a_sheet_named_as_a_document_has_no_text_of_one(tmp_path):
    book = samples.xlsx(tmp_path / "a.xlsx", {"One": [["a"]]})
    disguised = book.rename(tmp_path / "a.docx")

    assert failure(disguised) == "damaged"


def test_every_failure_has_a_sentence_that_ends_like_one():
    for code, sentence in SENTENCES.items():
        assert sentence[0].isupper(), code
        assert sentence.endswith("."), code
