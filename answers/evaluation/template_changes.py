"""The changes of templates a gate knows: a version that begins to answer, and another standard.

A version answers while it is in force and its template is switched on; whichever of the two comes last asks the gate.
Registers itself with the verbs that make each of them live.
"""

from dataclasses import dataclass, replace

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers import endpoints
from answers.evaluation import gate
from answers.evaluation.kinds import Kind, is_id, register
from answers.evaluation.setup import Setup
from answers.models import RagTemplate, TemplateVersion, WorkspaceTemplates
from answers.rag_templates import going_live, keeping
from workspaces.models import User, Workspace

# --- A version of a template --------------------------------------------------------------------------------


def _versions(workspace: Workspace) -> list[TemplateVersion]:
    """The newest version of each template, where it does not answer."""
    rows = TemplateVersion.objects.filter(template__workspace=workspace).select_related("template", "endpoint")
    newest = rows.order_by("template_id", "-number").distinct("template_id")
    return [one for one in newest if not _answers(one)]


def _answers(version: TemplateVersion) -> bool:
    return version.template.enabled and version.template.current_id == version.pk


def _find_version(workspace: Workspace, target: str) -> TemplateVersion | None:
    rows = TemplateVersion.objects.select_related("template__current__endpoint", "endpoint")
    return rows.filter(pk=target, template__workspace=workspace).first() if is_id(target) else None


def _answering(now: Setup, version: TemplateVersion) -> Setup:
    endpoint = version.endpoint or endpoints.default_for(version.template.workspace)
    return replace(now, template=version, endpoint=endpoint)


def _before(now: Setup, version: TemplateVersion) -> Setup:
    """With the version in force of the same template; of one that nobody is offered, with what answers now."""
    template = version.template
    return _answering(now, template.current) if template.enabled and template.current is not None else now


def _go_live(_workspace: Workspace, version: TemplateVersion, by: User) -> None:
    keeping.put_in_force(version, by=by)
    keeping.switch(version.template, enabled=True, by=by)


VERSION = register(
    Kind(
        code="template",
        label=gettext_lazy("Template"),
        find=_find_version,
        name=lambda version: f"{version.name}, {version.number}",
        choices=_versions,
        target=lambda version: str(version.pk),
        put_into=_answering,
        replaces=_before,
        go_live=_go_live,
    )
)


def _before_answering(version: TemplateVersion, by: User) -> None:
    gate.require_passed(version.template.workspace, VERSION.code, version.pk, by=by)


going_live.guard(_before_answering)


# --- What answers where nobody chose ------------------------------------------------------------------------

#: The target of the built-in knowledge template, which has no row.
_BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class Standard:
    """A template as the standard of its workspace; None: the built-in knowledge template."""

    workspace: Workspace
    template: RagTemplate | None

    def setup(self, now: Setup) -> Setup:
        """What answers with it where nobody chose. Raises EndpointError."""
        if self.template is not None and self.template.current is not None:
            return _answering(now, self.template.current)
        return replace(now, template=None, endpoint=endpoints.default_for(self.workspace))

    @property
    def name(self) -> str:
        current = self.template.current if self.template is not None else None
        return current.name if current is not None else _("Knowledge Q&A, as built in")

    @property
    def target(self) -> str:
        return str(self.template.pk) if self.template is not None else _BUILT_IN


def _could_be(workspace: Workspace) -> list[Standard]:
    """What is switched on and is not the standard; the built-in one among it."""
    standard = WorkspaceTemplates.objects.filter(workspace=workspace).values_list("standard", flat=True).first()
    others = [one for one in _switched_on(workspace).order_by("code") if one.pk != standard]
    return [Standard(workspace, one) for one in ([None, *others] if standard else others)]


def _find_standard(workspace: Workspace, target: str) -> Standard | None:
    if target == _BUILT_IN:
        return Standard(workspace, None)
    found = _switched_on(workspace).filter(pk=target).first() if is_id(target) else None
    return Standard(workspace, found) if found is not None else None


def _switched_on(workspace: Workspace) -> QuerySet[RagTemplate]:
    rows = RagTemplate.objects.filter(workspace=workspace, enabled=True)
    return rows.select_related("workspace", "current__endpoint", "current__template__workspace")


def _make_standard(workspace: Workspace, wanted: Standard, by: User) -> None:
    keeping.make_standard(workspace, wanted.template, by=by)


STANDARD = register(
    Kind(
        code="standard",
        label=gettext_lazy("Standard template"),
        find=_find_standard,
        name=lambda wanted: wanted.name,
        choices=_could_be,
        target=lambda wanted: wanted.target,
        put_into=lambda now, wanted: wanted.setup(now),
        replaces=lambda now, _wanted: now,
        go_live=_make_standard,
        spoken=lambda target: _("Knowledge Q&A, as built in") if target == _BUILT_IN else "",
    )
)


def _before_standard(workspace: Workspace, template: RagTemplate | None, by: User) -> None:
    gate.require_passed(workspace, STANDARD.code, Standard(workspace, template).target, by=by)


going_live.guard_standard(_before_standard)
