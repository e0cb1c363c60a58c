"""Released answers that a change of their sources closes, and what a reviewer does with them.

`answers/source_changes.py` and `answers/staleness.py` suspend. `standing.py` says which still stand, `suspended.py` why
one does not, `confirming.py` looks again.
"""
