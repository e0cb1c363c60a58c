"""What who manages a workspace does with its templates: each verb checks the right and leaves its entry."""

from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from answers.exceptions import TemplateError
from answers.models import RagTemplate, TemplateVersion, WorkspaceTemplates
from answers.rag_templates import built_in, content, going_live
from answers.rag_templates.content import Content
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: Enough for every task of a workspace, and few enough to choose from.
MOST_TEMPLATES = 60


@transaction.atomic
def adopt(workspace: Workspace, code: str, *, by: User) -> RagTemplate:
    """Take a built-in template into the workspace and switch it on; one that is there is given back as it is.

    Where a gate of the workspace holds it back it stays switched off. Raises as access does for who does not manage the
    workspace, and TemplateError for a code we wrote none for.
    """
    _locked(workspace, by)
    there = RagTemplate.objects.filter(workspace=workspace, built_in=code, code=code).first()
    if there is not None:
        return there
    return _new(workspace, code, built_in.content_of(code), by, built_in_code=code, offered=True)


@transaction.atomic
def write(workspace: Workspace, wanted: Content, *, by: User) -> RagTemplate:
    """A template of the workspace's own. It is switched off until somebody switches it on. Raises as `adopt` does."""
    _locked(workspace, by)
    sound = content.checked(wanted, workspace)
    return _new(workspace, _free_code(workspace, sound.name), sound, by)


def duplicate(version: TemplateVersion, *, name: str, by: User) -> RagTemplate:
    """Another template that begins with what `version` says, under a name of its own. Raises as `write` does."""
    said = content.of(version)
    note = _("Copied from “%(name)s”, version %(number)d.") % {"name": said.name, "number": version.number}
    return write(version.template.workspace, replace(said, name=name, note=note[:300]), by=by)


@transaction.atomic
def save(template: RagTemplate, wanted: Content, *, by: User, seen: int | None = None) -> TemplateVersion:
    """Keep another version, which is not in force yet.

    `seen`: the number of the newest version when `by` began to write. Raises TemplateError for what is no sound
    version, for one that says nothing new, and when somebody saved another one meanwhile.
    """
    _locked(template.workspace, by)
    sound = content.checked(wanted, template.workspace)
    newest = template.versions.select_related("endpoint").order_by("-number").first()
    if newest is not None and seen is not None and newest.number != seen:
        raise TemplateError(_("Somebody was faster: a newer version was saved after you opened this one."))
    if newest is not None and _same(content.of(newest), sound):
        raise TemplateError(_("Nothing was changed."))
    return _keep(template, sound, by)


@transaction.atomic
def put_in_force(version: TemplateVersion, *, by: User, reason: str = "") -> RagTemplate:
    """Have questions asked with `version` from now on; an earlier one is thereby rolled back to.

    Raises TemplateError where the version cannot answer any more, and what a gate of the workspace raises.
    """
    template = version.template
    _locked(template.workspace, by)
    content.checked(content.of(version), template.workspace)
    _require_whole(version)
    template = RagTemplate.objects.select_related("current").get(pk=template.pk)
    if template.current_id == version.pk:
        return template
    if template.enabled:
        # Of one that is switched off nobody is answered; switching it on asks.
        going_live.require(version, by=by)
    before, template.current = template.current, version
    template.save(update_fields=["current"])
    _note(
        EventType.TEMPLATE_IN_FORCE,
        template,
        by,
        reason=" ".join(reason.replace("\0", "").split())[:300],
        number=version.number,
        before=before.number if before else None,
        after=version.number,
        version_sha256=version.sha256,
    )
    return template


@transaction.atomic
def switch(template: RagTemplate, *, enabled: bool, by: User) -> None:
    """Offer the template to who asks, or no longer.

    Raises TemplateError for the standard, which always answers, and what a gate of the workspace raises.
    """
    _locked(template.workspace, by)
    template.refresh_from_db(fields=["enabled", "current"])
    if template.enabled == enabled:
        return
    if not enabled and WorkspaceTemplates.objects.filter(standard=template).exists():
        raise TemplateError(_("This is the standard template. Choose another one as the standard first."))
    if enabled and template.current_id is None:
        raise TemplateError(_("Put a version in force first."))
    if enabled and template.current is not None:
        _require_whole(template.current)
        going_live.require(template.current, by=by)
    template.enabled = enabled
    template.save(update_fields=["enabled"])
    _note(EventType.TEMPLATE_SWITCHED, template, by, before=not enabled, after=enabled)


@transaction.atomic
def make_standard(workspace: Workspace, template: RagTemplate | None, *, by: User) -> None:
    """Have `template` answer where nobody chose; None: the built-in knowledge template.

    Raises TemplateError for one that is switched off or belongs elsewhere, and what a gate of the workspace raises.
    """
    _locked(workspace, by)
    if (
        template is not None
        and not RagTemplate.objects.filter(pk=template.pk, workspace=workspace, enabled=True).exists()
    ):
        raise TemplateError(_("Only a template that is switched on here can be the standard."))
    kept = WorkspaceTemplates.objects.filter(workspace=workspace).select_related("standard").first()
    before = kept.standard if kept else None
    if before == template:
        return
    going_live.require_standard(workspace, template, by=by)
    WorkspaceTemplates.objects.update_or_create(workspace=workspace, defaults={"standard": template})
    record(
        EventType.TEMPLATE_STANDARD,
        on=workspace,
        workspace=workspace,
        by=by,
        before=before.code if before else "",
        after=template.code if template else "",
    )


# --- Inside -------------------------------------------------------------------------------------------------


def _locked(workspace: Workspace, by: User) -> None:
    """The right, and the workspace's row as the lock: two managers act one after the other."""
    access.require(by, Action.MANAGE, workspace)
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _new(
    workspace: Workspace, code: str, sound: Content, by: User, *, built_in_code: str = "", offered: bool = False
) -> RagTemplate:
    if RagTemplate.objects.filter(workspace=workspace).count() >= MOST_TEMPLATES:
        raise TemplateError(_("A workspace has at most %(most)d templates.") % {"most": MOST_TEMPLATES})
    template = RagTemplate.objects.create(workspace=workspace, code=code, built_in=built_in_code, created_by=by)
    version = TemplateVersion.objects.create(template=template, number=1, made_by=by, **sound.columns_of_row())
    template.current = version
    template.enabled = offered and not going_live.objection(version, by=by)
    template.save(update_fields=["current", "enabled"])
    _note(
        EventType.TEMPLATE_ADOPTED,
        template,
        by,
        built_in=built_in_code,
        version_sha256=version.sha256,
        enabled=template.enabled,
    )
    return template


def _keep(template: RagTemplate, sound: Content, by: User) -> TemplateVersion:
    newest = template.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = TemplateVersion.objects.create(template=template, number=newest + 1, made_by=by, **sound.columns_of_row())
    _note(
        EventType.TEMPLATE_SAVED,
        template,
        by,
        number=version.number,
        version_sha256=version.sha256,
        instructions_sha256=digest(version.instructions),
    )
    return version


def _require_whole(version: TemplateVersion) -> None:
    if not content.is_whole(version):
        raise TemplateError(_("Words of this version went with a deleted document. Save another version first."))


def _same(one: Content, other: Content) -> bool:
    return replace(one, note="") == replace(other, note="")


def _free_code(workspace: Workspace, name: str) -> str:
    """A code no template of the workspace has, from its name; never one of ours."""
    wanted = slugify(name).replace("-", "_")[:30] or "template"
    taken = set(RagTemplate.objects.filter(workspace=workspace).values_list("code", flat=True)) | set(built_in.CODES)
    codes = (
        wanted if place == 1 else f"{wanted}_{place}" for place in range(1, MOST_TEMPLATES + len(built_in.CODES) + 2)
    )
    return next(code for code in codes if code not in taken)


def _note(type: EventType, template: RagTemplate, by: User, **details: Any) -> None:
    record(type, on=template, workspace=template.workspace_id, by=by, template=template.code, **details)
