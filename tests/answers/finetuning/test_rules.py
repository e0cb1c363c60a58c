"""The pure rules: the adviser, what looks like data of a person, the format of a file, groups and splits."""

import json
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answers.finetuning import adviser, chat_format, grouping, personal
from answers.models import Split, Verdict
from documents.embeddings import default_space

choices = st.fixed_dictionaries(
    {one.code: st.sampled_from([option.code for option in one.options]) for one in adviser.CRITERIA}
)


# --- The adviser --------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(choices)
def test_the_advice_says_every_single_change_that_turns_it_and_no_other(given):
    advice = adviser.assess(given)

    told = {(turn.criterion.code, turn.option.code): turn.verdict for turn in advice.turns}
    for criterion in adviser.CRITERIA:
        for option in criterion.options:
            other = adviser.assess({**given, criterion.code: option.code}).verdict
            assert told.get((criterion.code, option.code), advice.verdict) == other
    assert advice.retrieval == sum(one.option.retrieval for one in advice.weighed)


@settings(max_examples=60, deadline=None)
@given(choices)
def test_nothing_that_must_be_erasable_or_lacks_examples_is_ever_trained(given):
    for closed in ({"sensitivity": "high"}, {"examples": "none"}):
        assert adviser.assess({**given, **closed}).verdict == Verdict.RETRIEVAL
    for cited in ({"audit": "always"}, {"change": "daily"}, {"transparency": "fully"}):
        assert adviser.assess({**given, **cited}).verdict != Verdict.FINE_TUNING


@pytest.mark.parametrize(
    ("picked", "verdict"),
    [
        ("open always some daily some relaxed fully plain small", Verdict.RETRIEVAL),
        ("fixed never low rarely many instant no special large", Verdict.FINE_TUNING),
        ("fixed always low monthly many quick partly special medium", Verdict.HYBRID),
    ],
)
def test_a_plain_case_gets_the_plain_verdict(picked, verdict):
    given = dict(zip([one.code for one in adviser.CRITERIA], picked.split(), strict=True))

    assert adviser.assess(given).verdict == verdict


# --- Data of persons ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Write to ana.petrovic@firma.rs today.", ["email"]),
        ("IBAN RS35 2600 0560 1001 6113 79, please", ["iban"]),
        ("IBAN RS36260005601001611379, please", []),
        ("JMBG 0710003730015", ["jmbg"]),
        ("JMBG 0710003730016", []),
        ("Card 4111 1111 1111 1111", ["card"]),
        ("Card 4111 1111 1111 1112", []),
        ("Call +381 64 123 4567 or (011) 123-4567", ["phone"]),
        ("From 2026-11-23 to 12.04.2027 it costs 1 000 000, article 4712345678", []),
        ("Section 0.5.1 of contract 2019/123-45", []),
    ],
)
def test_numbers_count_only_with_their_check_digits(text, kinds):
    assert personal.kinds_in(text) == kinds


# --- Files --------------------------------------------------------------------------------------------------


def a_file(count=10, **changes):
    lines = [
        chat_format.line(instructions="Be brief.", question=f"Question {n}?", reply=f"Reply {n}.") for n in range(count)
    ]
    return b"".join(lines)


def with_line(said):
    return a_file() + json.dumps(said).encode() + b"\n"


def messages(*pairs):
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (a_file(9), "9 examples"),
        (a_file()[:-1], "last line"),
        (a_file() + b"no json\n", "not JSON"),
        (a_file() + b"\xff\n", "not JSON"),
        (a_file() + a_file(1), "twice"),
        (with_line({"messages": [], "more": 1}), "alone"),
        (with_line(messages(("user", "a"), ("assistant", " "))), "empty"),
        (with_line(messages(("assistant", "a"), ("user", "b"))), "roles"),
        (with_line(messages(("user", "a"))), "roles"),
        (with_line(messages(("user", "a" * 70_000), ("assistant", "b"))), "longer"),
        (with_line({"messages": [{"role": "user", "content": "a", "name": "x"}]}), "role and a content"),
    ],
)
def test_a_file_that_a_provider_would_refuse_is_refused_with_the_line(content, why):
    assert why in " ".join(chat_format.problems(content))


def test_a_good_file_has_no_problem():
    assert chat_format.problems(a_file()) == []
    assert chat_format.problems(a_file(1), fewest=1) == []


# --- Groups and splits --------------------------------------------------------------------------------------


def question(text, *vector):
    made = np.array(vector, dtype=np.float32)
    return grouping.Question(uuid.uuid4(), text, "en", made / np.linalg.norm(made) if vector else None)


def test_near_questions_share_a_group_and_the_same_ones_repeat_but_never_over_other_numbers():
    first = question("Leave in 2025?", 1, 0)
    same, near = question("What leave in 2025?", 1, 0.01), question("Leave for fathers in 2025?", 1, 0.4)
    other_year, far = question("Leave in 2024?", 1, 0), question("Where is the canteen?", 0, 1)
    wordless = question("Leave in 2025?")

    placed = grouping.group([first, same, near, other_year, far, wordless], default_space())

    assert [placed[one.id].repeats for one in (first, same, near, other_year, far)] == [
        None,
        first.id,
        None,
        None,
        None,
    ]
    assert placed[wordless.id].repeats == first.id
    assert len({placed[one.id].group for one in (first, same, near, other_year, wordless)}) == 1
    assert placed[far.id].group != placed[first.id].group


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=2, max_size=40), st.integers(0, 50))
def test_no_two_that_are_near_are_ever_on_both_sides_of_the_split(angles, percent):
    """Angles of fifteen degrees and less are near; the others are not, but may be so through a third."""
    questions = [question(f"Subject {n}", np.cos(a * 0.3), np.sin(a * 0.3)) for n, a in enumerate(angles)]

    placed = grouping.group(questions, default_space())
    splits = {one.id: grouping.split_of(placed[one.id].group, percent=percent) for one in questions}

    for one in questions:
        for other in questions:
            if float(one.vector @ other.vector) >= grouping.NEAR:
                assert splits[one.id] == splits[other.id]
    assert percent or set(splits.values()) == {Split.TRAIN}
