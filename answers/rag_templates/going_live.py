"""What is asked before a version of a template goes into force: whoever guards that registers here."""

from collections.abc import Callable

from answers.models import TemplateVersion
from workspaces.models import User

#: Given the version and who puts it in force; raises a PortalError to keep it a candidate.
Check = Callable[[TemplateVersion, User], None]

_checks: list[Check] = []


def guard(check: Check) -> Check:
    """Have `check` asked, inside the transaction that would put a version in force. Twice is once."""
    if check not in _checks:
        _checks.append(check)
    return check


def require(version: TemplateVersion, *, by: User) -> None:
    """Return if nothing keeps `version` from going into force. Raises what the first check raises."""
    for check in _checks:
        check(version, by)
