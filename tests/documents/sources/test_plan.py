"""What a listing means against what is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.sources.connector import Entry
from documents.sources.plan import Known, is_wanted, make_plan

ENDINGS = frozenset({"md", "pdf"})


@pytest.mark.parametrize(
    ("path", "include", "exclude", "expected"),
    [
        ("a.md", [], [], True),
        ("A.PDF", [], [], True),
        ("a.exe", [], [], False),
        ("md", [], [], False),
        ("deep/er/a.md", ["*.md"], [], True),
        ("deep/er/a.md", ["deep/*"], [], True),
        ("other/a.md", ["deep/*"], [], False),
        ("deep/DRAFT/a.md", ["deep/*"], ["*/draft/*"], False),
        ("a.md", ["[a-c].md"], [], True),
        ("a" * 900 + ".md", ["*a*a*a*a*a*a*a*a*a*b"], [], False),
    ],
)
def test_globs_and_formats_say_what_is_wanted(path, include, exclude, expected):
    assert is_wanted(path, endings=ENDINGS, include=include, exclude=exclude) is expected


def test_an_unknown_state_is_looked_at_again():
    plan = make_plan([Entry("a", "a.md", "")], {"a": Known("", True)}, complete=True, endings=ENDINGS)

    assert [entry.key for entry in plan.change] == ["a"]


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["1", "2", ""])),
    st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.sampled_from(["1", "2"]), st.booleans())),
    st.booleans(),
)
def test_everything_is_sorted_in_once_and_nothing_is_gone_by_an_incomplete_listing(listed, known, complete):
    entries = [Entry(key, f"{key}.md", tag) for key, tag in listed.items()]
    items = {key: Known(tag, lives) for key, (tag, lives) in known.items()}

    plan = make_plan(entries, items, complete=complete, endings=ENDINGS)

    assert len(plan.add) + len(plan.change) + plan.unchanged + plan.left_out == len(entries)
    assert {entry.key for entry in plan.add} == set(listed) - set(known)
    gone = set(known) - set(listed) if complete else set()
    assert set(plan.remove) | set(plan.forget) == gone
    assert all(items[key].lives for key in plan.remove)
    assert not any(entry.key in plan.remove for entry in entries)


@pytest.mark.parametrize(
    ("living", "gone", "percent", "lately", "asks"),
    [
        (10, 2, 20, 0, False),
        (10, 3, 20, 0, True),
        (8, 1, 20, 2, True),
        (90, 1, 20, 10, False),
        (10, 0, 20, 9, False),
        (10, 1, 0, 0, True),
    ],
)
def test_a_large_share_of_removals_asks_first(living, gone, percent, lately, asks):
    known = {str(number): Known("1", True) for number in range(living)}
    entries = [Entry(str(number), f"{number}.md", "1") for number in range(gone, living)]

    plan = make_plan(entries, known, complete=True, endings=ENDINGS)

    assert plan.exceeds(percent, lately) is asks
