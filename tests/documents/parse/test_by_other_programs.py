"""Scans, pictures and old Office files: read where the machine has the program, and told what to install where not.

The programs are optional, so these tests hold with them and without.
"""

import struct
from importlib.resources import files

import pytest
from PIL import Image, ImageDraw, ImageFont

from documents import sandbox
from documents.ingest import ingest_version
from documents.parse import ParseFailed, ocr, old_office, parse_file, picture
from tests.documents import mails, ole, samples
from tests.documents.arrivals import again, receive


def a_picture(path, words="Parental leave lasts 26 weeks.", font=None):
    image = Image.new("L", (1400, 300), 255)
    ImageDraw.Draw(image).text((60, 60), words, font=font or ImageFont.load_default(60), fill=0, spacing=24)
    image.save(path)
    return path


def failure(read, *arguments, **named):
    with pytest.raises(ParseFailed) as caught:
        read(*arguments, **named)
    return caught.value


def has_an_engine():
    try:
        return bool(ocr.Engine().languages)
    except ParseFailed:
        return False


@pytest.mark.django_db
def test_a_picture_becomes_its_words_or_says_what_to_install(tmp_path, policies, contributor):
    version = receive(policies, contributor, a_picture(tmp_path / "scan.png").read_bytes(), "scan.png").version

    ingest_version(version.pk)

    version = again(version)
    if has_an_engine():
        assert (version.state, version.text) == ("ready", "Parental leave lasts 26 weeks.")
    else:
        assert (version.state, version.failure_code) == ("failed", "scanned")
        assert "tesseract-ocr-srp" in version.failure_sentence


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("pack", "words"),
    [
        ("srp", "Запослени имају право на\nгодишњи одмор и ђачки\nдодатак из џепа."),
        ("srp_latn", "Zaposleni podnose zahtev za\ngodišnji odmor, a rešenje čuva\npravna služba još deset godina."),
    ],
)
def test_a_picture_of_serbian_words_is_read_in_either_script(pack, words, tmp_path, policies, contributor):
    letters = ImageFont.truetype(str(files("font_roboto") / "files" / "Roboto-Regular.ttf"), 60)
    content = a_picture(tmp_path / "scan.png", words, letters).read_bytes()
    version = receive(policies, contributor, content, "scan.png").version

    ingest_version(version.pk)

    version = again(version)
    if not has_an_engine():
        assert (version.state, version.failure_code) == ("failed", "scanned")
    elif pack in ocr.languages():
        assert (version.state, version.text.split()) == ("ready", words.split())
    else:
        assert version.text.split() != words.split()


def test_without_an_engine_or_a_language_there_is_a_sentence(tmp_path, monkeypatch):
    path = a_picture(tmp_path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(ocr, "LANGUAGES", ("klingon",))
        assert failure(picture.recognise, path, "png").code == "scanned"

    monkeypatch.setattr(ocr, "LIBRARIES", ("libnothing.so.1",))

    failed = failure(picture.recognise, path, "png")
    assert (failed.code, failed.detail) == ("scanned", "no tesseract")
    assert "tesseract-ocr" in failed.sentence


def test_which_languages_are_read_is_told_by_one_of_them(monkeypatch):
    # The page of the installation's health loaded them all, and kept them for as long as the web process lived.
    if not has_an_engine():
        assert failure(ocr.languages).code == failure(ocr.Engine).code
        return
    whole, begun, real = ocr.Engine().languages, [], ocr._begins
    monkeypatch.setattr(ocr, "_begins", lambda *given: begun.append(given[2]) or real(*given))

    assert ocr.languages() == whole
    assert begun[-1] == whole[0]
    assert not [names for names in begun if "+" in names]


def test_a_picture_of_too_many_points_is_refused_before_it_is_unpacked(tmp_path):
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60_000, 60_000, 8, 0, 0, 0, 0)

    assert failure(parse_file, samples.text(tmp_path / "a.png", head + b"\x00" * 64), "a.png").code in {
        "too_large",
        "damaged",
    }
    Image.new("1", (9_000, 9_000)).save(tmp_path / "b.png")
    assert failure(parse_file, tmp_path / "b.png", "b.png").code == "too_large"


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\x00" * 400])
def test_a_broken_picture_is_damaged(tmp_path, content):
    assert failure(parse_file, samples.text(tmp_path / "a.png", content), "a.png").code == "damaged"


def an_old_file(path):
    return ole.written(path, {"WordDocument": b"\x00" * 600})


def test_an_old_office_file_without_libreoffice_says_what_to_install(tmp_path, monkeypatch):
    path = an_old_file(tmp_path / "a.doc")
    assert failure(sandbox.parse, path, name="a.doc").code == "old_office"
    monkeypatch.setattr(old_office, "_PROGRAMS", ("no-such-program",))

    failed = failure(old_office.renewed, path, "doc", "docx")

    assert failed.code == "old_office"
    assert "LibreOffice" in failed.sentence


def test_a_converted_file_is_read_as_the_newer_format(tmp_path, monkeypatch):
    newer = samples.docx_of(tmp_path / "newer.docx", title="Handbook")
    program = tmp_path / "office"
    program.write_text(f'#!/bin/sh\nmkdir -p out\ncp "{newer}" out/original.docx\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(old_office, "_PROGRAMS", (str(program),))
    monkeypatch.chdir(tmp_path)

    content = old_office.renewed(an_old_file(tmp_path / "a.doc"), "doc", "docx")

    assert parse_file(samples.text(tmp_path / "b.docx", content), "b.docx").title == "Handbook"


def test_pictures_in_a_mail_are_named_as_unread(tmp_path):
    attached = {
        "scan.png": a_picture(tmp_path / "s.png").read_bytes(),
        "old.doc": an_old_file(tmp_path / "o").read_bytes(),
    }

    parsed = parse_file(mails.eml(tmp_path / "a.eml", plain="See.", attached=attached), "a.eml")

    assert parsed.unread == (("scan.png", "alone"), ("old.doc", "alone"))
