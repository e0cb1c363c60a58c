"""Fusion: two rankings in, one out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.retrieval.fusion import fuse

legs = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.floats(-100, 100)), unique_by=lambda pair: pair[0], max_size=8
).map(lambda found: sorted(found, key=lambda pair: -pair[1]))


def test_a_find_of_both_legs_comes_before_a_better_find_of_one():
    dense = [("only-dense", 0.9), ("both", 0.8), ("last", 0.1)]
    keywords = [("only-keywords", 20.0), ("both", 18.0), ("last", 1.0)]

    ranked = fuse(dense, keywords)

    assert ranked[0][0] == "both"


def test_the_scale_of_a_leg_does_not_matter():
    dense = [("a", 0.9), ("b", 0.5), ("c", 0.1)]

    assert fuse(dense, [("b", 3.0), ("c", 1.0)]) == fuse(dense, [("b", 300.0), ("c", 100.0)])


@pytest.mark.parametrize(("dense", "keywords"), [([("a", 0.9), ("b", 0.2)], []), ([], [("a", 12.0), ("b", 3.0)])])
def test_one_leg_alone_keeps_its_order_and_full_scale(dense, keywords):
    assert fuse(dense, keywords) == [("a", 1.0), ("b", 0.0)]


def test_a_leg_of_one_find_counts_as_its_best():
    assert fuse([("a", 0.4)], [("b", 9.0), ("c", 1.0)])[:2] == [("a", 0.5), ("b", 0.5)]


def test_a_lone_find_among_silent_ones_does_not_pass_for_the_best_there_is():
    dense = [("foreign-1", 0.5), ("foreign-2", 0.4), ("ours", 0.31), ("foreign-3", 0.3)]

    ranked = fuse(dense, [("right", 9.0), ("other", 5.0)], silent={"foreign-1", "foreign-2", "foreign-3"})

    assert [id for id, _ in ranked] == ["right", "ours", "other"]


def test_a_leg_whose_finds_are_all_silent_has_no_say():
    assert fuse([("foreign", 0.9)], [("a", 2.0), ("b", 1.0)], silent={"foreign"}) == [("a", 1.0), ("b", 0.0)]


def test_nothing_found_is_an_empty_ranking():
    assert fuse([], []) == []


def test_only_the_first_hundred_of_a_leg_count():
    dense = [(f"{rank:03}", 1.0 - rank / 1000) for rank in range(150)]

    assert len(fuse(dense, [])) == 100


@given(legs, legs)
def test_every_find_appears_once_with_a_score_between_zero_and_one(dense, keywords):
    ranked = fuse(dense, keywords)

    assert sorted(id for id, _ in ranked) == sorted({id for id, _ in [*dense, *keywords]})
    assert all(-1e-9 <= score <= 1 + 1e-9 for _, score in ranked)
    assert [score for _, score in ranked] == sorted((score for _, score in ranked), reverse=True)
