import re
import zipfile

import docx
import pytest
from docx.enum.dml import MSO_THEME_COLOR
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt, RGBColor

from documents.parse import ParseFailed, parse_file
from tests.documents import samples

MARKUP_COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"


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


def test_items_of_numbered_lists_have_the_numbers_that_word_shows(tmp_path):
    def fill(document):
        for text in ("First step", "Second step"):
            document.add_paragraph(text, style="List Number")

    assert parsed_document(tmp_path, fill).text == "1. First step\n2. Second step"


def numbering(document, number, *levels, anew=""):
    """A list of this number, whose levels are (format, pattern)."""
    root = document.part.numbering_part.element
    made = "".join(
        f'<w:lvl w:ilvl="{place}"><w:start w:val="1"/><w:numFmt w:val="{format}"/>'
        f'<w:lvlText w:val="{pattern}"/></w:lvl>'
        for place, (format, pattern) in enumerate(levels)
    )
    shared = "90" if anew else str(number)
    if not anew:
        root.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{number}">{made}</w:abstractNum>'))
    root.append(
        parse_xml(f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="{shared}"/>{anew}</w:num>')
    )


def numbered(paragraph, number, level=0):
    settings = paragraph._p.get_or_add_pPr()
    settings.append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')
    )


def test_headings_and_clauses_are_counted_as_word_counts_them(tmp_path):
    def fill(document):
        numbering(document, 90, ("upperRoman", "%1."), ("decimal", "§ %1.%2"), ("lowerLetter", "%3)"))
        restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
        numbering(document, 91, anew=restart)
        numbered(document.add_heading("Leave", 1), 90)
        for level, text in ((1, "Annual"), (2, "Days"), (2, "Pay"), (1, "Study"), (2, "Term")):
            numbered(document.add_paragraph(text), 90, level)
        numbered(document.add_heading("Sickness", 1), 90)
        numbered(document.add_paragraph("Note"), 90, 1)
        numbered(document.add_paragraph("Anew"), 91, 0)

    parsed = parsed_document(tmp_path, fill)

    assert parsed.text.replace("\n\n", "\n").split("\n") == [
        "I. Leave", "§ I.1 Annual", "a) Days", "b) Pay", "§ I.2 Study", "a) Term", "II. Sickness", "§ II.1 Note",
        "VII. Anew",
    ]  # fmt: skip
    assert parsed.sections[1].heading == ("II. Sickness",)


def test_hidden_text_is_left_out_and_counted_and_white_on_black_is_seen(tmp_path):
    def fill(document):
        paragraph = document.add_paragraph("Seen ")
        paragraph.add_run("gone").font.hidden = True
        paragraph.add_run("white").font.color.rgb = RGBColor(255, 255, 255)
        paragraph.add_run("tiny words").font.size = Pt(0.5)
        dark = paragraph.add_run("on black")
        dark.font.color.rgb = RGBColor(255, 255, 255)
        dark._r.get_or_add_rPr().append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:fill="000000"/>'))
        style = document.styles.add_style("Sly", 2)
        style.font.hidden = True
        paragraph.add_run("by style", style="Sly")
        table = document.add_table(rows=1, cols=2, style="Medium Shading 1 Accent 1")
        for cell in table.rows[0].cells:
            cell.paragraphs[0].add_run("Head").font.color.rgb = RGBColor(255, 255, 255)

    parsed = parsed_document(tmp_path, fill)

    assert parsed.text == "Seen on black\n\nHead | Head"
    assert parsed.hidden == {"unseen": 11, "white": 5, "tiny": 9}


def test_white_by_the_theme_or_the_usual_style_is_left_out(tmp_path):
    def fill(document):
        document.styles["Normal"].font.color.rgb = RGBColor(255, 255, 255)
        document.add_paragraph("usual")
        seen = document.add_paragraph().add_run("Seen.")
        seen.font.color.rgb = RGBColor(0, 0, 0)
        themed = document.add_paragraph().add_run("theme")
        themed.font.color.rgb = RGBColor(0, 0, 0)
        themed.font.color.theme_color = MSO_THEME_COLOR.BACKGROUND_1

    parsed = parsed_document(tmp_path, fill)

    assert parsed.text == "Seen."
    assert parsed.hidden == {"white": 10}


def test_a_style_based_on_a_heading_is_one_and_a_paragraph_may_opt_out(tmp_path):
    def fill(document):
        document.styles.add_style("House", 1).base_style = document.styles["Heading 2"]
        document.add_heading("Leave", 1)
        document.add_paragraph("Study", style="House")
        paragraph = document.add_paragraph("Five days.", style="House")
        outline = OxmlElement("w:outlineLvl")
        outline.set(qn("w:val"), "9")
        paragraph._p.get_or_add_pPr().append(outline)

    assert section_texts(parsed_document(tmp_path, fill)) == {"Leave › Study": "Leave\n\nStudy\n\nFive days."}


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


def test_text_boxes_follow_the_paragraph_that_they_hang_on_once(tmp_path):
    def fill(document):
        run = document.add_paragraph("Beside.").add_run()
        both = parse_xml(
            f"<mc:AlternateContent {nsdecls('w')} xmlns:mc='{MARKUP_COMPATIBILITY}'>"
            + "".join(
                f"<mc:{form}><w:drawing><w:txbxContent><w:p><w:r><w:t>In the box.</w:t></w:r></w:p>"
                f"</w:txbxContent></w:drawing></mc:{form}>"
                for form in ("Choice", "Fallback")
            )
            + "</mc:AlternateContent>"
        )
        run._r.append(both)

    assert parsed_document(tmp_path, fill).text == "Beside.\n\nIn the box."


def test_footnotes_stand_below_the_paragraph_that_refers_to_them(tmp_path):
    def fill(document):
        run = document.add_paragraph("Leave is paid").add_run()
        reference = OxmlElement("w:footnoteReference")
        reference.set(qn("w:id"), "2")
        run._r.append(reference)
        notes = (
            f"<w:footnotes {nsdecls('w')}><w:footnote w:id='2'><w:p><w:r><w:t>By law.</w:t></w:r></w:p></w:footnote>"
        )
        name, kind = PackURI("/word/footnotes.xml"), CONTENT_TYPE.WML_FOOTNOTES
        part = Part(name, kind, f"{notes}</w:footnotes>".encode(), document.part.package)
        document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)

    assert parsed_document(tmp_path, fill).text == "Leave is paid[2]\n\n[2] By law."


def test_a_table_of_one_column_is_a_frame_around_what_is_in_it(tmp_path):
    def fill(document):
        cell = document.add_table(rows=1, cols=1).cell(0, 0)
        cell.text = "Framed."
        inner = cell.add_table(rows=2, cols=2)
        for row, cells in enumerate((("Team", "Days"), ("Sales", "3"))):
            for column, text in enumerate(cells):
                inner.cell(row, column).text = text

    assert parsed_document(tmp_path, fill).text == "Framed.\n\nTeam | Days\nTeam: Sales | Days: 3"


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


def test_a_title_that_nobody_gave_is_none(tmp_path):
    with zipfile.ZipFile(samples.docx_of(tmp_path / "b.docx")) as archive:
        entries = {name: archive.read(name) for name in archive.namelist() if name != "docProps/core.xml"}
    entries["_rels/.rels"] = re.sub(rb"<Relationship [^>]*core-properties[^>]*>", b"", entries["_rels/.rels"])

    assert parse_file(samples.zipped(tmp_path / "a.docx", entries), "a.docx").title == "Leave"


def test_styles_based_on_each_other_end(tmp_path):
    def fill(document):
        one = document.styles.add_style("One", 1)
        two = document.styles.add_style("Two", 1)
        one.base_style, two.base_style = two, one
        document.add_paragraph("Words.", style="One")
        assert one.element.find(qn("w:basedOn")) is not None

    assert parsed_document(tmp_path, fill).text == "Words."
