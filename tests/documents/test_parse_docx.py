import docx
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from documents.parse import ParseFailed, parse_file
from tests.documents import samples


def section_texts(parsed):
    return {section.label: parsed.text[section.start : section.end] for section in parsed.sections}


def parsed_document(tmp_path, fill):
    document = docx.Document()
    fill(document)
    document.save(str(tmp_path / "a.docx"))
    return parse_file(tmp_path / "a.docx", "a.docx")


def test_sections_follow_the_headings(tmp_path):
    parsed = parse_file(samples.docx_of(tmp_path / "a.docx", title="Handbook"), "a.docx")

    assert section_texts(parsed) == {
        "Leave": "Leave\n\nEvery employee has leave. It is paid.",
        "Leave › Parental leave": "Parental leave\n\nSixteen weeks after a birth.\n\n"
        "Kind | Days\nKind: Annual | Days: 25\nKind: Study | Days: 5",
        "Sickness": "Sickness\n\n• Call before nine.\n• Send a note.",
    }
    assert parsed.sections[1].heading == ("Leave", "Parental leave")
    assert (parsed.title, parsed.page_count) == ("Handbook", 3)


def test_numbers_that_word_counts_are_in_the_text(tmp_path):
    def fill(document):
        for text in ("First step", "Second step"):
            document.add_paragraph(text, style="List Number")

    assert parsed_document(tmp_path, fill).text == "1. First step\n2. Second step"


def test_a_heading_without_text_joins_the_section_below_it(tmp_path):
    def fill(document):
        document.add_heading("Part one", 1)
        document.add_heading("Scope", 2)
        document.add_paragraph("All staff.")

    parsed = parsed_document(tmp_path, fill)

    assert section_texts(parsed) == {"Part one › Scope": "Part one\n\nScope\n\nAll staff."}
    assert parsed.title == "Part one"


def test_deleted_and_hidden_text_is_left_out_and_inserted_text_is_kept(tmp_path):
    def fill(document):
        paragraph = document.add_paragraph("Kept. ")
        for tag, child, text in (("w:del", "w:delText", "Deleted."), ("w:ins", "w:t", "Inserted.")):
            change, run, words = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(child)
            words.text = text
            run.append(words)
            change.append(run)
            paragraph._p.append(change)
        paragraph.add_run(" Unseen.").font.hidden = True

    assert parsed_document(tmp_path, fill).text == "Kept. Inserted."


def test_text_inside_content_controls_is_read(tmp_path):
    def fill(document):
        inner = document.add_paragraph("Inside the control.")._p
        control, content = OxmlElement("w:sdt"), OxmlElement("w:sdtContent")
        inner.addprevious(control)
        control.append(content)
        content.append(inner)

    assert parsed_document(tmp_path, fill).text == "Inside the control."


def test_a_cell_merged_downwards_is_said_in_each_row(tmp_path):
    def fill(document):
        table = document.add_table(rows=3, cols=2)
        for row, cells in enumerate((("Team", "Days"), ("Sales", "3"), ("", "4"))):
            for column, text in enumerate(cells):
                table.cell(row, column).text = text
        table.cell(1, 0).merge(table.cell(2, 0))

    assert parsed_document(tmp_path, fill).text == "Team | Days\nTeam: Sales | Days: 3\nTeam: Sales | Days: 4"


def test_a_document_without_text_says_so(tmp_path):
    with pytest.raises(ParseFailed) as caught:
        parsed_document(tmp_path, lambda document: document.add_paragraph("   "))

    assert caught.value.code == "no_text"


def test_styles_based_on_each_other_end(tmp_path):
    def fill(document):
        one = document.styles.add_style("One", 1)
        two = document.styles.add_style("Two", 1)
        one.base_style, two.base_style = two, one
        document.add_paragraph("Words.", style="One")
        assert one.element.find(qn("w:basedOn")) is not None

    assert parsed_document(tmp_path, fill).text == "Words."
