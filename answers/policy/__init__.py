"""Release policy: whether a finished answer goes to its asker at once, or to a reviewer first, and why.

`rules.py` says what a rule is, `facts.py` what it may go by, `verdicts.py` how a set of rules decides, `keeping.py` who
changes a set, and `trial.py` what a set would have held.
"""

from answers.policy.facts import Facts
from answers.policy.keeping import change, in_force
from answers.policy.noting import as_detail
from answers.policy.rules import Rule, defaults
from answers.policy.told import Why, why
from answers.policy.trial import try_out
from answers.policy.verdicts import Verdict, decide

__all__ = ["Facts", "Rule", "Verdict", "Why", "as_detail", "change", "decide", "defaults", "in_force", "try_out", "why"]
