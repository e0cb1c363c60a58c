"""What is asked before a template answers people in another way: whoever guards that registers here."""

from collections.abc import Callable

from answers.models import RagTemplate, TemplateVersion
from workspaces.exceptions import PortalError
from workspaces.models import User, Workspace

#: Given the version and who lets it answer; raises a PortalError to keep it from that.
Check = Callable[[TemplateVersion, User], None]
#: Given the workspace, what is to answer where nobody chose (None: the built-in one) and who chose it; raises likewise.
StandardCheck = Callable[[Workspace, RagTemplate | None, User], None]

_checks: list[Check] = []
_standard_checks: list[StandardCheck] = []


def guard(check: Check) -> Check:
    """Have `check` asked in the transaction in which a version comes into force or is switched on. Twice is once."""
    if check not in _checks:
        _checks.append(check)
    return check


def guard_standard(check: StandardCheck) -> StandardCheck:
    """Have `check` asked in the transaction in which another template becomes the standard. Twice is once."""
    if check not in _standard_checks:
        _standard_checks.append(check)
    return check


def require(version: TemplateVersion, *, by: User) -> None:
    """Return if nothing keeps `version` from answering. Raises what the first check raises."""
    for check in _checks:
        check(version, by)


def require_standard(workspace: Workspace, template: RagTemplate | None, *, by: User) -> None:
    """Return if nothing keeps `template` from becoming the standard. Raises what the first check raises."""
    for check in _standard_checks:
        check(workspace, template, by)


def objection(version: TemplateVersion, *, by: User) -> str:
    """What keeps `version` from answering, as a sentence; "" where nothing does."""
    try:
        require(version, by=by)
    except PortalError as held:
        return str(held)
    return ""
