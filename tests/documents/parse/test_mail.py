"""Mails of both kinds: what was written, and what came with it."""

from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from documents.parse import ParseFailed, parse_file
from tests.documents import mails, ole, samples


def texts(parsed):
    return {section.label: parsed.text[section.start : section.end] for section in parsed.sections}


def test_a_mail_says_who_wrote_what_to_whom(tmp_path):
    parsed = parse_file(mails.eml(tmp_path / "a.eml", subject="Leave", plain="Leave is paid.\n\nAsk us."), "a.eml")

    assert parsed.text == (
        "Leave\n\nFrom: The manager <manager@portal.example>\nTo: everyone@portal.example\n"
        "Date: 2026-03-04 10:15 +0100\n\nLeave is paid.\n\nAsk us."
    )
    assert (parsed.title, parsed.format) == ("Leave", "eml")


def test_of_two_forms_of_a_mail_the_one_that_is_seen_is_read(tmp_path):
    page = "<h2>Days</h2><table><tr><th>Kind</th><th>Days</th></tr><tr><td>Annual</td><td>25</td></tr></table>"
    path = mails.eml(tmp_path / "a.eml", subject="Leave", plain="Kind Days Annual 25", html=page)

    assert texts(parse_file(path, "a.eml"))["Leave › Days"] == "Days\n\nKind | Days\nKind: Annual | Days: 25"


@pytest.fixture
def attachments(tmp_path):
    return {
        "leave.docx": samples.docx_of(tmp_path / "x.docx").read_bytes(),
        "pages.pdf": samples.pdf(tmp_path / "x.pdf", [[["One."]], [["Two."]]]).read_bytes(),
        "tool.exe": b"MZ\x90\x00",
        "locked.pdf": samples.pdf(tmp_path / "y.pdf", [[["No."]]], password="secret").read_bytes(),
    }


def expected_of_attachments(parsed):
    found = texts(parsed)
    assert found["leave.docx › Leave › Parental leave"].startswith("Parental leave\n\nSixteen weeks")
    assert found["pages.pdf › 2"] == "Two."
    assert parsed.unread == (("tool.exe", "unsupported"), ("locked.pdf", "encrypted"))
    headings = {section.label: section.heading for section in parsed.sections}
    assert headings["leave.docx › Leave › Parental leave"] == ("leave.docx", "Leave", "Parental leave")
    assert {section.kind for section in parsed.sections} == {"section"}
    assert [section.number for section in parsed.sections] == list(range(1, len(parsed.sections) + 1))


def test_what_is_attached_is_read_under_its_name_and_what_cannot_be_read_is_named(tmp_path, attachments):
    path = mails.eml(tmp_path / "a.eml", subject="Leave", plain="See attached.", attached=attachments)

    expected_of_attachments(parse_file(path, "a.eml"))


def test_outlook_files_are_read_as_mails_are(tmp_path, attachments):
    inner = ole.message(subject="Earlier", body="This was before.")
    message = ole.message(
        subject="Odsustvo",
        body="Plaćeno.",
        sender="The manager",
        to="everyone",
        parts={**attachments, "Earlier": inner},
    )

    parsed = parse_file(ole.written(tmp_path / "a.msg", message), "a.msg")

    expected_of_attachments(parsed)
    assert texts(parsed)["Odsustvo"] == "Odsustvo\n\nFrom: The manager\nTo: everyone\n\nPlaćeno."
    assert texts(parsed)["Earlier › Earlier"] == "Earlier\n\nThis was before."


def test_an_outlook_file_with_a_page_is_read_as_the_page(tmp_path):
    message = ole.message(subject="Leave", body="plain", html=b"<p>Seen <b>words</b>.</p>")

    assert parse_file(ole.written(tmp_path / "a.msg", message), "a.msg").text == "Leave\n\nSeen words."


@pytest.mark.parametrize("levels", [100, 12])
def test_messages_in_messages_are_opened_to_a_depth(tmp_path, levels):
    path = samples.text(tmp_path / "a.eml", mails.nested(levels).as_bytes())

    parsed = parse_file(path, "a.eml")

    assert "Words of level 8." in parsed.text
    assert "Words of level 9." not in parsed.text
    [(name, code)] = parsed.unread
    assert name.endswith("Level 9.eml")
    assert code == "too_deep"


def test_a_mail_of_thousands_of_parts_is_too_large(tmp_path):
    path = mails.eml(tmp_path / "a.eml", plain="x", attached={f"{n}.txt": b"words" for n in range(300)})

    with pytest.raises(ParseFailed) as caught:
        parse_file(path, "a.eml")

    assert caught.value.code == "too_large"


def test_a_mail_that_lies_about_its_encoding_is_read_all_the_same(tmp_path):
    head = b"Subject: =?nonsense?Q?Hello?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\n"

    parsed = parse_file(samples.text(tmp_path / "a.eml", head + "Odsustvo je plaćeno.".encode()), "a.eml")

    assert "Odsustvo je plaćeno." in parsed.text


def test_a_sealed_mail_says_that_it_is_sealed(tmp_path):
    mail = EmailMessage()
    mail["Subject"] = "Sealed"
    mail.set_content(b"\x30\x82", maintype="application", subtype="pkcs7-mime")

    with pytest.raises(ParseFailed) as caught:
        parse_file(samples.text(tmp_path / "a.eml", mail.as_bytes()), "a.eml")

    assert caught.value.code == "encrypted"


def test_each_html_part_of_a_mail_hides_by_its_own_styles(tmp_path):
    parts = [
        "<html><style>td > i { display: none }</style><body><table><tr><td>One.<i>gone</i></td></tr></table>",
        "<html><head><style>div .x { color: #fff }</style></head><body><p>Two.</p><div><p class=x>white</p></div>",
    ]
    mail = MIMEMultipart("mixed")
    mail["Subject"] = "News"
    for part in parts:
        mail.attach(MIMEText(part, "html"))
    path = tmp_path / "a.eml"
    path.write_bytes(mail.as_bytes())

    parsed = parse_file(path, "a.eml")

    assert "One." in parsed.text
    assert "Two." in parsed.text
    assert parsed.hidden == {"unseen": 4, "white": 5}
