import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.sentences import is_table_row, sentence_spans

PIECES = st.lists(
    st.sampled_from(
        ["A word", "čl", "Др", "U.S", "3.5", " ", "\n", "\n\n", ". ", "! ", "?\n", "• ", "1. ", " | ", "12 ", "…", '"']
    ),
    max_size=40,
)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@given(st.one_of(st.text(max_size=80), PIECES.map("".join)))
def test_spans_are_trimmed_ordered_and_leave_out_only_white_space(text):
    spans = sentence_spans(text)

    position = 0
    for start, end in spans:
        assert position <= start < end <= len(text)
        assert not text[position:start].strip()
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()


@pytest.mark.parametrize(
    "expected",
    [
        ["Leave is paid.", "It lasts 25 days!", "Who asks?", "Everyone."],
        ["Dr. Novak and Mrs. Hill agree.", "So do we."],
        ["The rate is 3.5 percent.", "It was 2.9."],
        ["It pays $3.5 million to Acme Inc. in cash.", "The rest follows."],
        ["We bought Acme Inc.", "The price was low."],
        ["The U.S. Government agreed.", "See Fig. 3 and No. 5."],
        ["The answer is no.", "We agree."],
        ["It ended in 2019.", "Then it began."],
        ["Use forms, e.g. Form A, i.e. the first.", "Done."],
        ['"Is it so?" he asked.', "“Yes.”", "(See below.)", "He left."],
        ["Wait… what?", "Nothing."],
        ["J. R. Smith wrote it.", "He knew."],
    ],
)
def test_english_sentences(expected):
    assert sentences(" ".join(expected)) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["Zaposleni ima pravo na odmor.", "Čeka odluku."],
        ["Primenjuje se čl. 12. st. 2. Zakona o radu.", "Rok je 15. januar 2024. godine."],
        ["Npr. Pravilnik važi, tj. obavezuje.", "Prof. Ilić potvrđuje."],
        ["Ugovor je zaključen u Nišu 2019.", "Važi i danas."],
        ["Запослени има право на одмор.", "Шта даље?", "Чека одлуку."],
        ["Примењује се чл. 5. Закона о раду.", "Проф. Илић потврђује, нпр. писмено."],
    ],
)
def test_serbian_sentences_in_both_scripts(expected):
    assert sentences(" ".join(expected)) == expected


def test_a_line_end_inside_prose_is_a_space():
    text = "The information in this table is given as of\nthe date of filing. It was audited by an\nindependent firm."

    assert sentences(text) == [
        "The information in this table is given as of\nthe date of filing.",
        "It was audited by an\nindependent firm.",
    ]


def test_headings_list_items_and_table_rows_stand_alone():
    text = (
        "Consolidated Balance Sheet\n"
        "The table shows all amounts in millions, except for the amounts per share.\n"
        "Net sales 3,909 3,673\n"
        "Cost of sales (3,115) (2,951)\n"
        "• Hire two people and open\nan office\n"
        "1. Scope\n"
        "a) first\n"
        "Role: Manager | Limit: 5,000\n"
        "Role: Clerk | Limit: 500"
    )

    assert sentences(text) == [
        "Consolidated Balance Sheet",
        "The table shows all amounts in millions, except for the amounts per share.",
        "Net sales 3,909 3,673",
        "Cost of sales (3,115) (2,951)",
        "• Hire two people and open\nan office",
        "1. Scope",
        "a) first",
        "Role: Manager | Limit: 5,000",
        "Role: Clerk | Limit: 500",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Goodwill 12,790 13,486", True),
        ("Cash and cash equivalents $ 3,655 $ 4,564", True),
        ("Name | Age", True),
        ("It was founded in 1998 and again in 2004 by the same two people from here", False),
        ("It lasted until 2004", False),
        ("", False),
    ],
)
def test_a_row_of_figures_is_told_from_prose(line, expected):
    assert is_table_row(line) is expected
