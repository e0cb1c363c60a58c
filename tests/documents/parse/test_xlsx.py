import datetime

import openpyxl
import pytest
from openpyxl.styles import Color, Font, PatternFill
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from documents.parse import parse_file
from tests.documents import samples


def test_each_sheet_is_a_section_and_each_row_names_its_columns(tmp_path):
    path = samples.xlsx(
        tmp_path / "a.xlsx",
        {
            "Budget 2026": [
                ["Item", "Cost", "Due"],
                ["Desk", 12.5, datetime.date(2026, 1, 31)],
                ["Lamp", 0.1 + 0.2, None],
            ],
            "Notes": [["Prices without tax."]],
        },
    )

    parsed = parse_file(path, "a.xlsx")

    assert parsed.text == (
        "Item | Cost | Due\nItem: Desk | Cost: 12.5 | Due: 2026-01-31\nItem: Lamp | Cost: 0.3\n\nPrices without tax."
    )
    assert [(section.kind, section.label, section.heading) for section in parsed.sections] == [
        ("sheet", "Budget 2026", ("Budget 2026",)),
        ("sheet", "Notes", ("Notes",)),
    ]


def test_hidden_sheets_are_not_read(tmp_path):
    path = samples.xlsx(tmp_path / "a.xlsx", {"Shown": [["Yes"]], "Lists": [["No"]]}, hidden=["Lists"])

    parsed = parse_file(path, "a.xlsx")

    assert (parsed.text, parsed.page_count) == ("Yes", 1)


def test_two_columns_of_words_are_pairs_and_not_a_header(tmp_path):
    path = samples.xlsx(tmp_path / "a.xlsx", {"Info": [["Owner", "Finance"], ["Reviewer", "Legal"]]})

    assert parse_file(path, "a.xlsx").text == "Owner | Finance\nReviewer | Legal"


def test_a_cell_far_to_the_right_costs_nothing(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "near"
    book.active["XFD1048576"] = "far"
    book.save(tmp_path / "a.xlsx")

    assert parse_file(tmp_path / "a.xlsx", "a.xlsx").text == "near\nfar"


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (45000, "General", "45000"),
        (45000, "dd/mm/yyyy", "2023-03-15"),
        (45000.5, 'yyyy-mm-dd" at "hh:mm', "2023-03-15 12:00"),
        (0.25, "hh:mm", "06:00"),
        (0.125, "0.0%", "12.5%"),
        (0.07, "0%", "7%"),
        (1234.5, '"days" 0.00', "1234.5"),
        (1234567890123, "0", "1234567890123"),
        (12, "[Red]#,##0", "12"),
        (True, "General", "TRUE"),
        ("#N/A", "General", "#N/A"),
    ],
)
def test_a_value_is_written_as_its_format_means_it(tmp_path, value, code, expected):
    book = openpyxl.Workbook()
    book.active.append(["of", value])
    book.active["B1"].number_format = code
    book.save(tmp_path / "a.xlsx")

    assert parse_file(tmp_path / "a.xlsx", "a.xlsx").text == f"of | {expected}"


def test_the_epoch_of_old_macs_is_respected(tmp_path):
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(["on", 43538])
    book.active["B1"].number_format = "yyyy-mm-dd"
    book.save(tmp_path / "a.xlsx")

    assert parse_file(tmp_path / "a.xlsx", "a.xlsx").text == "on | 2023-03-15"


def test_a_formula_is_its_last_value(tmp_path):
    book = samples.xlsx(tmp_path / "b.xlsx", {"One": [["Sum", "=1+2"]]})
    name = "xl/worksheets/sheet1.xml"
    counted = samples.part(book, name).replace(b"<f>1+2</f><v></v>", b"<f>1+2</f><v>3</v>")

    parsed = parse_file(samples.with_part(book, tmp_path / "a.xlsx", name, counted), "a.xlsx")

    assert parsed.text == "Sum | 3"


def test_hidden_rows_and_columns_and_white_on_white_are_left_out_and_counted(tmp_path):
    rows = [["Name", "Sly", "Sum"], ["Anna", "gone", "5"], ["row", "x", "y"], ["", "", ""], ["Boris", "", "snow"]]
    book = openpyxl.load_workbook(samples.xlsx(tmp_path / "a.xlsx", {"One": rows}))
    sheet = book["One"]
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["B"].hidden = True
    sheet["C5"].font, sheet["C5"].fill = Font(color=Color(theme=0)), PatternFill("solid", fgColor="FFFFFFFF")
    book.save(tmp_path / "a.xlsx")

    parsed = parse_file(tmp_path / "a.xlsx", "a.xlsx")

    assert "Anna" in parsed.text
    assert "Boris" in parsed.text
    assert not any(word in parsed.text for word in ("Sly", "gone", "row", "x", "snow"))
    assert parsed.hidden == {"unseen": 12, "white": 4}


def test_white_cells_and_hidden_sheets_are_left_out_and_counted(tmp_path):
    book = openpyxl.load_workbook(
        samples.xlsx(tmp_path / "a.xlsx", {"One": [["seen", "white", "dark"]], "Two": [["gone"]]})
    )
    white = Font(color="FFFFFFFF")
    book["One"]["B1"].font = book["One"]["C1"].font = white
    book["One"]["C1"].fill = PatternFill("solid", fgColor="FF000000")
    book["Two"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")

    parsed = parse_file(tmp_path / "a.xlsx", "a.xlsx")

    assert parsed.text == "seen | dark"
    assert parsed.hidden == {"white": 5, "unseen": 4}


def test_cells_that_show_nothing_or_next_to_nothing_are_left_out_and_counted(tmp_path):
    book = openpyxl.load_workbook(
        samples.xlsx(tmp_path / "a.xlsx", {"One": [["seen", "gone", "small", "1", "2"], ["seen", "x", "", "", ""]]})
    )
    sheet = book["One"]
    sheet["B1"].number_format = "; ; ;"
    sheet["C1"].font = Font(sz=1)
    sheet["D1"].number_format = "0;;;"
    book.save(tmp_path / "a.xlsx")

    parsed = parse_file(tmp_path / "a.xlsx", "a.xlsx")

    assert parsed.text == "seen | 1 | 2\nseen | x"
    assert parsed.hidden == {"unseen": 4, "tiny": 5}


def test_rows_that_a_sheet_names_are_seen_though_all_others_are_hidden(tmp_path):
    # As Excel and LibreOffice have it: `zeroHeight` is about rows of which the sheet says nothing.
    book = samples.xlsx(tmp_path / "b.xlsx", {"One": [["seen"]]})
    name = "xl/worksheets/sheet1.xml"
    most_hidden = samples.part(book, name).replace(b"<sheetFormatPr ", b'<sheetFormatPr zeroHeight="1" ')

    parsed = parse_file(samples.with_part(book, tmp_path / "a.xlsx", name, most_hidden), "a.xlsx")

    assert (parsed.text, parsed.hidden) == ("seen", {})
