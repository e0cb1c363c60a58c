import pytest

from documents.parse import ParseFailed, parse_file
from tests.documents import books


def test_chapters_are_read_in_the_order_of_the_book(tmp_path):
    path = books.epub(tmp_path / "a.epub", ["<h1>One</h1><p>First.</p>", "<h1>Два</h1><p>Друго.</p>"], title="A book")

    parsed = parse_file(path, "a.epub")

    assert parsed.text == "One\n\nFirst.\n\nДва\n\nДруго."
    assert [section.heading for section in parsed.sections] == [("One",), ("Два",)]
    assert parsed.title == "A book"


def test_a_book_that_only_a_reader_with_a_key_opens_is_encrypted(tmp_path):
    sealed = b'<encryption><EncryptedData><CipherReference URI="OEBPS/c%200.xhtml"/></EncryptedData></encryption>'
    path = books.epub(tmp_path / "a.epub", ["<p>x</p>"], extra={"META-INF/encryption.xml": sealed})

    with pytest.raises(ParseFailed) as caught:
        parse_file(path, "a.epub")

    assert caught.value.code == "encrypted"


def test_an_archive_without_a_book_is_of_the_wrong_type(tmp_path):
    path = books.odt(tmp_path / "a.epub", "<text:p>x</text:p>")

    with pytest.raises(ParseFailed) as caught:
        parse_file(path, "a.epub")

    assert caught.value.code == "wrong_type"
