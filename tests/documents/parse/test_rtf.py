import struct

import pytest

from documents.parse import parse_file, rtf
from tests.documents import samples

TABLES = (
    r"{\fonttbl{\f0\fnil Arial;}{\f1\fnil\fcharset204 Arial;}{\f2\fnil\fcharset238 Arial;}}"
    r"{\colortbl;\red0\green0\blue0;\red255\green255\blue255;}"
    r"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}{\s2\outlinelevel1 heading 2;}}"
    r"{\info{\title Handbook}{\author somebody}}{\*\generator words}"
)


def parsed(tmp_path, body):
    document = r"{\rtf1\ansi\ansicpg1252\deff0" + TABLES + body + "}"
    return parse_file(samples.text(tmp_path / "a.rtf", document.encode("latin-1")), "a.rtf")


def test_headings_lists_and_tables_keep_their_shape(tmp_path):
    found = parsed(
        tmp_path,
        r"\pard\s1 Leave\par\pard Paid\~leave.\par\pard\s2 Kinds\par"
        r"\trowd\intbl Kind\cell Days\cell\row\trowd\pard\intbl Annual\cell 25\cell\row\pard "
        r"{\listtext 1.\tab}Ask.\par{\listtext 2.\tab}Wait.\par{\pntext\'b7\tab}Point.\par",
    )

    assert found.text == (
        "Leave\n\nPaid leave.\n\nKinds\n\nKind | Days\nKind: Annual | Days: 25\n\n1. Ask.\n2. Wait.\n• Point."
    )
    assert [section.heading for section in found.sections] == [("Leave",), ("Leave", "Kinds")]
    assert found.title == "Handbook"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"Pla\u263 ?eno i \u353\'9a krug", "Plaćeno i š krug"),
        (r"{\f1 \'ce\'e4\'ec\'ee\'f0}", "Одмор"),
        (r"{\f2 Pla\'e6eno}", "Plaćeno"),
        (r"\u-10179 ?\u-8704 ? smile", "😀 smile"),
        (r"{\uc2\u1078 ab}after", "жafter"),
        (r"a\{b\}\\c \ldblquote q\rdblquote\endash x", "a{b}\\c “q”–x"),
        ("one \\bin5 }}}}}two", "one two"),
        (
            r"seen{\pict 89504e47}{\header every page}{\*\unknown not}{\object{\*\objdata 01}{\result shown}}",
            "seenshown",
        ),
    ],
)
def test_characters_are_what_the_writer_meant(tmp_path, body, text):
    assert parsed(tmp_path, body + r"\par").text == text


def test_hidden_text_is_left_out_and_counted_and_white_on_black_is_seen(tmp_path):
    found = parsed(
        tmp_path,
        r"Seen {\v gone}{\cf2 white}{\fs1 tiny words}{\cf2\highlight1 on black} too.\par",
    )

    assert found.text == "Seen on black too."
    assert found.hidden == {"unseen": 4, "white": 5, "tiny": 9}


def test_deleted_text_and_white_on_a_white_ground_are_left_out(tmp_path):
    found = parsed(
        tmp_path, r"Seen {\deleted\v0 gone}{\cf2\cb2 white}{\cf2\chcbpat2 white}{\cf2\cb1 on black} too.\par"
    )

    assert found.text == "Seen on black too."
    assert found.hidden == {"unseen": 4, "white": 10}


def test_braces_that_never_close_or_never_opened_do_no_harm(tmp_path):
    assert parsed(tmp_path, "{" * 50_000 + r"deep\par").text == "deep"
    assert parsed(tmp_path, r"}}}} words\par").text == "words"


def test_the_body_of_an_outlook_mail_is_unpacked():
    # The example that Microsoft's description of the format works through.
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )

    assert struct.unpack_from("<I", packed, 4)[0] == 43
    assert rtf.letter(packed) == "hello world"
