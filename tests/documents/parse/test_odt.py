import pytest

from documents.parse import ParseFailed, parse_file
from tests.documents import books

HIDDEN_STYLES = (
    '<style:style style:name="Gone" style:family="text"><style:text-properties text:display="none"/></style:style>'
    '<style:style style:name="White" style:family="text"><style:text-properties fo:color="#ffffff"/></style:style>'
    '<style:style style:name="OnBlack" style:family="text">'
    '<style:text-properties fo:color="#ffffff" fo:background-color="#000000"/></style:style>'
    '<style:style style:name="Tiny" style:family="text"><style:text-properties fo:font-size="0.5pt"/></style:style>'
)


def parsed(tmp_path, body, **more):
    return parse_file(books.odt(tmp_path / "a.odt", body, **more), "a.odt")


def test_headings_lists_and_tables_keep_their_shape(tmp_path):
    found = parsed(
        tmp_path,
        '<text:h text:outline-level="1">Leave</text:h><text:p>Paid<text:s/>leave.<text:line-break/>Always.</text:p>'
        '<text:h text:outline-level="2">Kinds</text:h>'
        "<table:table><table:table-row><table:table-cell><text:p>Kind</text:p></table:table-cell><table:table-cell>"
        "<text:p>Days</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell>"
        "<text:p>Annual</text:p></table:table-cell><table:table-cell><text:p>25</text:p></table:table-cell>"
        "</table:table-row></table:table>"
        '<text:list text:style-name="L"><text:list-item><text:p>Ask.</text:p></text:list-item>'
        "<text:list-item><text:p>Wait.</text:p></text:list-item></text:list>",
        styles='<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1"/>'
        "</text:list-style>",
        title="Handbook",
    )

    assert found.text == (
        "Leave\n\nPaid leave.\nAlways.\n\nKinds\n\nKind | Days\nKind: Annual | Days: 25\n\n1. Ask.\n2. Wait."
    )
    assert [section.heading for section in found.sections] == [("Leave",), ("Leave", "Kinds")]
    assert found.title == "Handbook"


def test_what_was_deleted_or_commented_is_no_part_of_the_text(tmp_path):
    found = parsed(
        tmp_path,
        "<text:tracked-changes><text:p>struck out</text:p></text:tracked-changes>"
        "<text:p>Kept<office:annotation><text:p>a remark</text:p></office:annotation> words.</text:p>",
    )

    assert found.text == "Kept words."


def test_hidden_text_is_left_out_and_counted_and_white_on_black_is_seen(tmp_path):
    spans = {"Gone": "gone", "White": "white", "Tiny": "tiny words", "OnBlack": "on black"}
    body = "".join(f'<text:span text:style-name="{style}">{text}</text:span> ' for style, text in spans.items())

    found = parsed(tmp_path, f"<text:p>Seen {body}too.</text:p>", styles=HIDDEN_STYLES)

    assert found.text == "Seen on black too."
    assert found.hidden == {"unseen": 4, "white": 5, "tiny": 9}


def test_a_text_box_is_read_after_the_paragraph_it_floats_beside(tmp_path):
    found = parsed(
        tmp_path,
        "<text:p>Before<draw:frame><draw:text-box><text:p>In the box.</text:p></draw:text-box></draw:frame>"
        " it.</text:p>",
    )

    assert found.text == "Before it.\n\nIn the box."


def test_a_text_with_a_password_is_encrypted(tmp_path):
    with pytest.raises(ParseFailed) as caught:
        parsed(tmp_path, "<text:p>x</text:p>", manifest="<m><manifest:encryption-data xmlns:manifest='m'/></m>")

    assert caught.value.code == "encrypted"


def test_spans_in_spans_without_end_are_read_or_refused(tmp_path):
    body = "<text:p>" + "<text:span>" * 200 + "deep" + "</text:span>" * 200 + "</text:p>"
    assert parsed(tmp_path, body).text == "deep"

    with pytest.raises(ParseFailed, match="damaged"):
        parsed(tmp_path, "<text:section>" * 200 + "<text:p>x</text:p>" + "</text:section>" * 200)


@pytest.mark.parametrize(
    "hidden",
    [
        "<text:section text:display='none'><text:p>gone</text:p></text:section>",
        "<text:section text:display='condition' text:is-hidden='true'><text:p>gone</text:p></text:section>",
        "<table:table><table:table-row table:visibility='collapse'><table:table-cell><text:p>gone</text:p>"
        "</table:table-cell></table:table-row></table:table>",
        "<table:table><table:table-column/><table:table-column table:visibility='collapse'/><table:table-row>"
        "<table:table-cell/><table:table-cell><text:p>gone</text:p></table:table-cell></table:table-row></table:table>",
    ],
)
def test_sections_rows_and_columns_that_are_hidden_are_left_out_and_counted(tmp_path, hidden):
    found = parsed(tmp_path, f"<text:p>Seen.</text:p>{hidden}")

    assert (found.text, found.hidden) == ("Seen.", {"unseen": 4})


def test_a_section_whose_condition_shows_it_is_read(tmp_path):
    assert parsed(tmp_path, "<text:section text:display='condition'><text:p>Seen.</text:p></text:section>").text
