"""The trail, one chain at a time: read, verify, export. Nothing here can be changed by anybody."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from unfold.decorators import display

from audit import export, timeline
from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from workspaces.admin_base import GovernedAdmin
from workspaces.auditing import evidence_pack, trail
from workspaces.exceptions import Forbidden, Hidden, PortalError
from workspaces.roles import Action

#: Formats of `audit.export`, as a person chooses them.
EXPORTS = {
    "jsonl": _("JSON lines, which verify elsewhere"),
    "csv": _("CSV, for a spreadsheet"),
    "ocsf": _("OCSF, for a SIEM"),
}


class ChainFilter(SimpleListFilter):
    """Which chain is shown; there is always one, since numbers and hashes mean something only inside it."""

    title = _("chain")
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(chain.code, chain.label) for chain in trail.chains_open_to(request.user)]

    def value(self) -> str | None:
        return super().value() or (self.lookup_choices[0][0] if self.lookup_choices else None)

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Any:
        for code, label in self.lookup_choices:
            yield {
                "selected": self.value() == str(code),
                "query_string": changelist.get_query_string({self.parameter_name: code}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(chain=_chain(request).name)


class TypeFilter(SimpleListFilter):
    """What happened."""

    title = _("what happened")
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(EventType.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(type=self.value()) if self.value() else queryset


class AboutFilter(SimpleListFilter):
    """Entries about one thing; asked for from its timeline, and offered only while it is."""

    title = _("about")
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked_for = request.GET.get(self.parameter_name, "")
        return [(asked_for, _("One thing"))] if asked_for else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(trail.concerning(self.value())) if self.value() else queryset


@admin.register(Event)
class EventAdmin(GovernedAdmin):
    """Entries of the chains the person may read, as sentences."""

    view_action = Action.READ_TRAIL
    list_display = ("number", "at", "sentence", "changed", "actor_label", "reason")
    list_filter = (ChainFilter, TypeFilter, AboutFilter)
    search_fields = ("actor_label", "object_label", "object_id", "request_id")
    search_help_text = _("Search by person, object, id or request")
    ordering = ("-seq",)
    list_before_template = "admin/audit/event/_chain.html"
    fields = (
        "sentence",
        "at",
        "actor_label",
        "reason",
        "changed",
        "type",
        "object_label",
        "object_reference",
        "chain_name",
        "seq",
        "content",
        "own_hash",
        "hash_before",
    )
    readonly_fields = (
        "sentence",
        "reason",
        "changed",
        "object_reference",
        "chain_name",
        "content",
        "own_hash",
        "hash_before",
    )

    def may(self, request: HttpRequest, action: str | None, obj: Model | None) -> bool:
        names = [chain.name for chain in trail.chains_open_to(request.user)]
        if action != self.view_action:
            return False
        return obj.chain in names if isinstance(obj, Event) else bool(names)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        names = [chain.name for chain in trail.chains_open_to(request.user)]
        return Event.objects.filter(chain__in=names).order_by(*self.ordering)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Event:
        event = self.get_queryset(request).filter(pk=_uuid(object_id)).first()
        if event is None:
            raise Hidden(user=request.user, action=Action.READ_TRAIL)
        return event

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require_list(request)
        chain = _chain(request)
        trail.read(chain, by=request.user)
        context = {"chain": chain, "kinds": EXPORTS, "title": _("Audit trail")}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def require_list(self, request: HttpRequest) -> None:
        # Reading a chain is recorded in it, also for a superuser: see `trail.read`.
        if not trail.chains_open_to(request.user):
            raise Forbidden(user=request.user, action=Action.READ_TRAIL)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id:
            event, chain = trail.find_event(self.get_object(request, object_id).pk, by=request.user)
            trail.read(chain, by=request.user, entry=event.seq)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("verify/", self.admin_site.admin_view(require_POST(self.verify_view)), name="audit_event_verify"),
            path("export/", self.admin_site.admin_view(require_POST(self.export_view)), name="audit_event_export"),
            path("pack/", self.admin_site.admin_view(self.pack_view), name="audit_event_pack"),
        ]
        return own + super().get_urls()

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Verify one chain and say what was found."""
        chain = trail.find(request.POST.get("chain", ""), by=request.user)
        outcome = trail.verify(chain, by=request.user)
        if outcome.holds:
            sentence = ngettext(
                "%(chain)s holds: %(n)d entry, none changed, missing or moved. Checkpoints that agree: %(signed)d.",
                "%(chain)s holds: %(n)d entries, none changed, missing or moved. Checkpoints that agree: %(signed)d.",
                outcome.events,
            )
            messages.success(
                request, sentence % {"chain": chain.label, "n": outcome.events, "signed": outcome.checkpoints}
            )
            return HttpResponseRedirect(f"{reverse('admin:audit_event_changelist')}?of={chain.code}")
        context = {
            **self.admin_site.each_context(request),
            "title": _("The chain does not hold"),
            "subtitle": chain.label,
            "opts": self.opts,
            "chain": chain,
            "outcome": outcome,
        }
        return TemplateResponse(request, "admin/audit/event/verification.html", context, status=409)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """One chain as a file, from a cursor on."""
        chain = trail.find(request.POST.get("chain", ""), by=request.user)
        try:
            kind, after = _asked_for(request)
            lines = trail.lines(chain, by=request.user, kind=kind, after=after)
        except AuditError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(f"{reverse('admin:audit_event_changelist')}?of={chain.code}")
        made = export.KINDS[kind]
        response = StreamingHttpResponse(_ended(lines), content_type=made.content_type)
        return _as_file(response, f"trail-{chain.code}.{made.extension}")

    def pack_view(self, request: HttpRequest) -> HttpResponseBase:
        """Choose chains and a period, and get a signed evidence pack of them."""
        self.require_list(request)
        open_chains = trail.chains_open_to(request.user)
        if request.method == "POST":
            try:
                chains = [trail.find(code, by=request.user) for code in request.POST.getlist("chain")]
                period = evidence_pack.period_of(request.POST.get("since", ""), request.POST.get("until", ""))
                pack = evidence_pack.make(chains, period, by=request.user)
            except (PortalError, AuditError) as error:
                messages.error(request, str(error))
            else:
                name = "-".join(["evidence", *(chain.code for chain in chains[:3]), f"{period.until:%Y-%m-%d}"])
                return _as_file(FileResponse(pack, content_type="application/zip"), f"{name}.zip")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Evidence pack"),
            "opts": self.opts,
            "chains": open_chains,
            "chosen": set(request.POST.getlist("chain")) or {request.GET.get(ChainFilter.parameter_name)},
            "since": request.POST.get("since", ""),
            "until": request.POST.get("until", ""),
        }
        return TemplateResponse(request, "admin/audit/event/pack.html", context)

    @display(description=_("no."), ordering="seq")
    def number(self, event: Event) -> int:
        return event.seq

    @display(description=_("what happened"))
    def sentence(self, event: Event) -> str:
        return timeline.sentence(event)

    @display(description=_("reason"))
    def reason(self, event: Event) -> str:
        return timeline.reason(event) or "–"

    @display(description=_("changed"))
    def changed(self, event: Event) -> str:
        told = [f"{one.name}: {one.before} → {one.after}".removeprefix(": ") for one in timeline.changes(event)]
        return "; ".join(told) or "–"

    @display(description=_("id of the object"))
    def object_reference(self, event: Event) -> str:
        return event.object_id or "–"

    @display(description=_("chain"))
    def chain_name(self, event: Event) -> str:
        return event.chain

    @display(description=_("SHA-256 of this entry"))
    def own_hash(self, event: Event) -> str:
        return event.hash

    @display(description=_("SHA-256 of the entry before"))
    def hash_before(self, event: Event) -> str:
        return event.prev_hash or "–"

    @display(description=_("recorded content"))
    def content(self, event: Event) -> str:
        try:
            text = json.dumps(json.loads(event.body), indent=2, ensure_ascii=False)
        except ValueError:
            text = event.body
        return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)


def _chain(request: HttpRequest) -> trail.Chain:
    """The chain that was asked for, or the first one open to the person."""
    code = request.GET.get(ChainFilter.parameter_name)
    return trail.find(code, by=request.user) if code else trail.chains_open_to(request.user)[0]


def _asked_for(request: HttpRequest) -> tuple[str, int]:
    """The format and the cursor of an export."""
    kind, after = request.POST.get("kind", "jsonl"), request.POST.get("after", "") or "0"
    if kind not in EXPORTS or not (after.isascii() and after.isdecimal() and len(after) < 19):
        raise AuditError(_("Choose a format, and give the number of the last entry you have, or nothing."))
    return kind, int(after)


def _as_file(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _ended(lines: Iterator[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
