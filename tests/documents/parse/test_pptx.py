from pathlib import Path

import pptx
import pytest
from lxml import etree
from pptx.dml.color import RGBColor
from pptx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Emu, Pt

from documents.parse import parse_file
from tests.documents import samples

DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"


def test_each_slide_is_a_section_with_its_title_points_and_notes(tmp_path):
    path = samples.pptx_of(
        tmp_path / "a.pptx",
        [("Plan", ["Hire two people", "Open an office"], "Say why."), ("Costs", ["12,000 a month"], "")],
    )

    parsed = parse_file(path, "a.pptx")

    assert parsed.text == "Plan\n\n• Hire two people\n• Open an office\n\nSay why.\n\nCosts\n\n12,000 a month"
    assert [(section.kind, section.label, section.heading) for section in parsed.sections] == [
        ("slide", "1", ("Plan",)),
        ("slide", "2", ("Costs",)),
    ]
    assert (parsed.title, parsed.page_count) == ("Plan", 2)


def test_a_hidden_slide_is_not_read_and_keeps_its_number(tmp_path):
    path = samples.pptx_of(tmp_path / "a.pptx", [("One", [], ""), ("Two", [], ""), ("Three", [], "")])
    deck = pptx.Presentation(str(path))
    deck.slides[1]._element.set("show", "0")
    deck.save(str(path))

    parsed = parse_file(Path(path), "a.pptx")

    assert parsed.text == "One\n\nThree"
    assert [section.number for section in parsed.sections] == [1, 2, 3]


def test_a_table_on_a_slide_is_rows_under_their_names(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    table = slide.shapes.add_table(2, 2, 0, 0, 100, 100).table
    for row, cells in enumerate((("Region", "Sales"), ("North", "14"))):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    deck.save(str(tmp_path / "a.pptx"))

    assert parse_file(tmp_path / "a.pptx", "a.pptx").text == "Region | Sales\nRegion: North | Sales: 14"


def test_shapes_in_groups_are_read_in_their_place(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    group = slide.shapes.add_group_shape()
    for shapes, text in ((group.shapes, "Inside"), (slide.shapes, "After")):
        shapes.add_textbox(0, 0, 100, 100).text_frame.text = text
    deck.save(str(tmp_path / "a.pptx"))

    assert parse_file(tmp_path / "a.pptx", "a.pptx").text == "Inside\n\nAfter"


def test_the_words_of_a_smartart_drawing_are_points(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    frame = slide.shapes.add_table(1, 1, 0, 0, 100, 100)._element
    data = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in ("Plan", "Check"))
    part = Part(
        PackURI("/ppt/diagrams/data1.xml"),
        CONTENT_TYPE.DML_DIAGRAM_DATA,
        slide.part.package,
        f"<dgm:dataModel {nsdecls('a')} xmlns:dgm='{DIAGRAM}'>{data}</dgm:dataModel>".encode(),
    )
    identity = slide.part.relate_to(part, RELATIONSHIP_TYPE.DIAGRAM_DATA)
    graphic = frame.find(".//" + qn("a:graphicData"))
    graphic.set("uri", DIAGRAM)
    graphic[0].getparent().replace(
        graphic[0], parse_xml(f"<dgm:relIds {nsdecls('r')} xmlns:dgm='{DIAGRAM}' r:dm='{identity}'/>")
    )
    deck.save(str(tmp_path / "a.pptx"))

    assert parse_file(tmp_path / "a.pptx", "a.pptx").text == "• Plan\n• Check"


def test_what_stands_beside_the_slide_or_is_hidden_is_left_out_and_counted(tmp_path):
    path = samples.pptx_of(tmp_path / "a.pptx", [("Leave", ["Paid."], "")])
    deck = pptx.Presentation(str(path))
    slide = deck.slides[0]
    for left, text in ((Emu(0), "seen"), (deck.slide_width + 10, "beside"), (Emu(0), "gone"), (Emu(0), "tiny")):
        box = slide.shapes.add_textbox(left, Emu(0), Emu(1000000), Emu(500000))
        run = box.text_frame.paragraphs[0].add_run()
        run.text = text
        if text == "gone":
            box._element.nvSpPr.cNvPr.set("hidden", "1")
        if text == "tiny":
            run.font.size = Pt(1)
    deck.save(str(path))

    parsed = parse_file(path, "a.pptx")

    assert parsed.text == "Leave\n\nPaid.\n\nseen"
    assert parsed.hidden == {"off_page": 6, "unseen": 4, "tiny": 4}


def box(slide, text, *, left=0, white=True):
    shape = slide.shapes.add_textbox(Emu(left), Emu(0), Emu(1000000), Emu(500000))
    run = shape.text_frame.paragraphs[0].add_run()
    run.text = text
    if white:
        run.font.color.rgb = RGBColor(255, 255, 255)
    return shape


def test_white_words_are_left_out_where_nothing_lies_behind_them(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    box(slide, "seen", white=False)
    box(slide, "bare")
    pale = box(slide, "pale").fill
    pale.solid()
    pale.fore_color.rgb = RGBColor(255, 255, 255)
    dark = box(slide, "dark", left=3000000).fill
    dark.solid()
    dark.fore_color.rgb = RGBColor(0, 0, 0)
    box(slide, "above", left=3000000)
    night = deck.slides.add_slide(deck.slide_layouts[6])
    night.background.fill.solid()
    night.background.fill.fore_color.rgb = RGBColor(0, 0, 64)
    box(night, "night")
    deck.save(str(tmp_path / "a.pptx"))

    parsed = parse_file(tmp_path / "a.pptx", "a.pptx")

    assert parsed.text == "seen\n\ndark\n\nabove\n\nnight"
    assert parsed.hidden == {"white": 8}


WHITE, DARK = '<a:srgbClr val="FFFFFF"/>', '<a:srgbClr val="101040"/>'


def set_default(style, *, colour="", size=""):
    """Give the first level of a list of styles a colour or a size."""
    size = f'sz="{size}"' if size else ""
    fill = f"<a:solidFill>{colour}</a:solidFill>" if colour else ""
    level = parse_xml(f"<a:lvl1pPr {nsdecls('a')}><a:defRPr {size}>{fill}</a:defRPr></a:lvl1pPr>")
    for old in style.findall(qn("a:lvl1pPr")):
        style.remove(old)
    style.insert(0, level)


def body_of(placeholders):
    return next(each for each in placeholders if each.placeholder_format.idx == 1)._element.find(
        ".//" + qn("a:lstStyle")
    )


def in_the_shape(deck, slide):
    set_default(body_of(slide.placeholders), colour=WHITE)


def in_the_layout(deck, slide):
    set_default(body_of(slide.slide_layout.placeholders), colour=WHITE)


def in_the_master(deck, slide):
    set_default(body_of(slide.slide_layout.slide_master.placeholders), colour=WHITE)


def in_the_styles_of_the_master(deck, slide):
    set_default(slide.slide_layout.slide_master._element.find(".//" + qn("p:bodyStyle")), colour=WHITE)


def by_a_name_of_the_theme(deck, slide):
    set_default(body_of(slide.slide_layout.placeholders), colour='<a:schemeClr val="bg1"/>')


def by_a_map_of_the_slide(deck, slide):
    names = {"bg1": "lt1", "tx1": "lt1", "bg2": "lt2", "tx2": "dk2", "hlink": "hlink", "folHlink": "folHlink"}
    names |= {f"accent{n}": f"accent{n}" for n in range(1, 7)}
    said = " ".join(f'{name}="{value}"' for name, value in names.items())
    old = slide._element.find(qn("p:clrMapOvr"))
    if old is not None:
        slide._element.remove(old)
    slide._element.insert(
        1, parse_xml(f"<p:clrMapOvr {nsdecls('p', 'a')}><a:overrideClrMapping {said}/></p:clrMapOvr>")
    )


def too_small_in_the_layout(deck, slide):
    set_default(body_of(slide.slide_layout.placeholders), size="100")


def white_on_a_dark_master(deck, slide):
    in_the_master(deck, slide)
    background = slide.slide_layout.slide_master.background.fill
    background.solid()
    background.fore_color.rgb = RGBColor(16, 16, 64)


def paper_of_a_dark_theme(deck, slide):
    part = slide.slide_layout.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = parse_xml(part.blob)
    paper = theme.find(".//" + qn("a:lt1"))
    paper.remove(paper[0])
    paper.append(parse_xml(DARK.replace("/>", f" {nsdecls('a')}/>")))
    part._blob = etree.tostring(theme)
    set_default(body_of(slide.slide_layout.placeholders), colour=WHITE)
    slide._element.cSld.insert(
        0,
        parse_xml(f"<p:bg {nsdecls('p', 'a')}><p:bgRef idx='1001'><a:schemeClr val='bg1'/></p:bgRef></p:bg>"),
    )


def changed_white(deck, slide):
    grey = '<a:schemeClr val="bg1"><a:lumMod val="50000"/></a:schemeClr>'
    set_default(body_of(slide.slide_layout.placeholders), colour=grey)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (in_the_shape, "white"),
        (in_the_layout, "white"),
        (in_the_master, "white"),
        (in_the_styles_of_the_master, "white"),
        (by_a_name_of_the_theme, "white"),
        (by_a_map_of_the_slide, "white"),
        (too_small_in_the_layout, "tiny"),
        (white_on_a_dark_master, ""),
        (paper_of_a_dark_theme, ""),
        (changed_white, ""),
    ],
)
def test_words_look_as_shape_layout_master_and_theme_say(tmp_path, change, kind):
    path = samples.pptx_of(tmp_path / "a.pptx", [("Leave", ["Ignore rules."], "")])
    deck = pptx.Presentation(str(path))
    # Seen in any case, so that the deck is not empty.
    deck.slides[0].shapes.title.text_frame.paragraphs[0].runs[0].font.color.rgb = RGBColor(128, 0, 0)
    change(deck, deck.slides[0])
    deck.save(str(path))

    parsed = parse_file(path, "a.pptx")

    assert parsed.text == ("Leave" if kind else "Leave\n\nIgnore rules.")
    assert parsed.hidden == ({kind: 12} if kind else {})
