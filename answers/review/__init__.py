"""The verbs of a human decision on a draft, and on an answer that was released.

Each asks `workspaces.access` who may, `WHEN` when it may be, and writes its audit entry in the same transaction. The
draft's row is locked first, so of two people acting together one is told that the other was faster. Who may not decide
although they review, and when it takes two, is said in `answers/separation.py`.
"""

from answers.review.again import may_reopen, reopen, take_back
from answers.review.asking import questions_to, reply
from answers.review.deciding import approve, reject, return_for_changes
from answers.review.desk import assign, opened
from answers.review.locking import WHEN
from answers.review.writing import approve_with_edits, edit, submit

__all__ = [
    "WHEN",
    "approve",
    "approve_with_edits",
    "assign",
    "edit",
    "may_reopen",
    "opened",
    "questions_to",
    "reject",
    "reopen",
    "reply",
    "return_for_changes",
    "submit",
    "take_back",
]
