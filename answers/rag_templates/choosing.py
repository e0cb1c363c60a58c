"""Which version a question is asked with: what a workspace offers, and what a conversation keeps."""

from enum import Enum
from typing import Any, Final

from django.db.models import OuterRef, QuerySet, Subquery, UUIDField, Value
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from answers.exceptions import TemplateError
from answers.models import KNOWLEDGE, Answer, Conversation, ModelEndpoint, RagTemplate, TemplateVersion
from answers.read_with import RowOf, row_of
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action


class Standard(Enum):
    """What the workspace answers with where nobody chose, whatever the conversation was asked with before."""

    STANDARD = "standard"


STANDARD: Final = Standard.STANDARD


def standard_of(workspace: Workspace) -> TemplateVersion | None:
    """The version that answers where nobody chose; None: the built-in knowledge template."""
    chosen = getattr(workspace, "templates_choice", None)
    template = chosen.standard if chosen else None
    return template.current if template is not None and template.enabled else None


def offered(workspace: Workspace) -> list[TemplateVersion]:
    """The versions in force of the templates that are switched on, the standard first."""
    rows = TemplateVersion.objects.filter(pk__in=_switched_on(workspace).values("current"))
    standard = standard_of(workspace)
    found = list(rows.select_related("template", "endpoint").order_by("name"))
    return sorted(found, key=lambda version: version != standard)


def named(code: str, workspace: Workspace) -> TemplateVersion | Standard:
    """The version in force of the template with this code; the built-in knowledge template is the standard's name.

    Raises TemplateError for a code that the workspace does not offer.
    """
    template = (
        _switched_on(workspace).filter(code=code).select_related("current__endpoint", "current__template").first()
    )
    if template is not None and template.current is not None:
        return template.current
    if code == KNOWLEDGE and standard_of(workspace) is None:
        return STANDARD
    raise TemplateError(_("This workspace offers no template “%(name)s”.") % {"name": code})


def require_askable(version: TemplateVersion, workspace: Workspace, *, by: User) -> None:
    """Return if `by` may ask in `workspace`, and with `version`. One statement for both.

    Raises as `access.require` where they may not ask, TemplateError where the version is not offered.
    """
    offered = _switched_on(workspace).filter(current=version)
    read = offered.annotate(held=access.held_by(Value(by.pk, UUIDField()), "workspace")).values_list("held", flat=True)
    held = read.first()
    access.require_as_read(by, Action.ASK, workspace, held)
    if held is None:
        raise TemplateError(_("This template is switched off, or another version of it is in force by now."))


def chosen_for(
    template: TemplateVersion | Standard | None, conversation: Conversation | None
) -> TemplateVersion | None:
    """The version a question is asked with; None: the workspace's standard, as it is when the answer is made.

    Whether a choice is offered, `require_askable` says. Without one the conversation's is kept while it is offered.
    """
    if isinstance(template, TemplateVersion):
        return template
    if template is not None or conversation is None or conversation.template_id is None:
        return None
    kept = conversation.template
    return kept.current if kept is not None and kept.enabled else None


def once_more(answer: Answer) -> TemplateVersion | Standard:
    """What the same question is asked with again: its template as it is now.

    Raises TemplateError where that is switched off: another one would answer another task.
    """
    if answer.template is None:
        return STANDARD
    template = RagTemplate.objects.select_related("current__template").get(pk=answer.template.template_id)
    if not template.enabled or template.current is None:
        raise TemplateError(_("The template this was asked with is switched off. Ask anew with another one."))
    return template.current


def version_with(version: str) -> Subquery:
    """The version that a row's `version` names, with its template and model; for `version_as_read`."""
    rows = TemplateVersion.objects.filter(pk=OuterRef(version))
    template, endpoint = RowOf(RagTemplate, "template__"), RowOf(ModelEndpoint, "endpoint__")
    return Subquery(rows.values(one=JSONObject(version=RowOf(TemplateVersion), template=template, endpoint=endpoint)))


def version_as_read(found: dict[str, Any] | None) -> TemplateVersion | None:
    """What `version_with` read."""
    template = row_of(RagTemplate, found["template"]) if found else None
    version = row_of(TemplateVersion, found["version"]) if found else None
    if found is None or template is None or version is None:
        return None
    version.template = template
    version.endpoint = row_of(ModelEndpoint, found["endpoint"])
    return version


def keep_standard(workspace: Workspace, found: dict[str, Any] | None) -> None:
    """Let `standard_of` find what `version_with` read of the standard's version, without a statement."""
    chosen = getattr(workspace, "templates_choice", None)
    if chosen is not None and chosen.standard is not None:
        chosen.standard.current = version_as_read(found)


def code_of(version: TemplateVersion | None) -> str:
    """The code by which rules and figures know it."""
    return version.template.code if version is not None else KNOWLEDGE


def _switched_on(workspace: Workspace) -> QuerySet[RagTemplate]:
    return RagTemplate.objects.filter(workspace=workspace, enabled=True)
