"""Hold each sentence of an answer against the passages it cites: supported, partly, or unsupported, and why.

`check` is for a text of an answer that is stored, as after an edit; `weigh` for one in the making.
"""

from answers.grounding.checking import check, places_of, weigh
from answers.grounding.nearness import nearness_in
from answers.grounding.summary import summarise
from answers.grounding.wording import in_words
from answers.steps.state import Summary

__all__ = ["Summary", "check", "in_words", "nearness_in", "places_of", "summarise", "weigh"]
