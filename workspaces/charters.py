"""Every role a person can be given: those declared in `workspaces/roles.py` and those this installation made."""

from workspaces.models import CustomRole
from workspaces.roles import CHARTERS, Action, Charter


def charters() -> dict[str, Charter]:
    """The roles in force by code, the declared ones first. Retired custom roles are not among them. One query."""
    made = CustomRole.objects.filter(retired_at=None).order_by("name")
    return declared() | {role.code: charter_of(role) for role in made}


def declared() -> dict[str, Charter]:
    """The roles every installation has."""
    return {str(role): charter for role, charter in CHARTERS.items()}


def charter_of(role: CustomRole) -> Charter:
    """What a custom role gives; an action that no longer exists is left out."""
    return Charter(role.name, role.purpose, frozenset(role.actions) & frozenset(Action.values))


def choices() -> list[tuple[str, str]]:
    """The roles in force as a form field takes them."""
    return [(code, str(charter.label)) for code, charter in charters().items()]


def label_of(code: str) -> str:
    """A role's name for a person; a retired role still has its own."""
    charter = declared().get(code)
    if charter is not None:
        return str(charter.label)
    return CustomRole.objects.filter(code=code).values_list("name", flat=True).first() or code
