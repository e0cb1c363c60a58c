"""What belongs to the timelines of documents, and of what is said about one: its deletion, a hold on it.
And the words for the codes that entries about documents, sources and endpoints hold, and for what was changed.
"""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy, pgettext_lazy

from audit.events import EventType
from audit.timeline import Setting, fields, spoken, spoken_settings
from documents.models import (
    BulkAct,
    Deletion,
    Document,
    EmbeddingEndpoint,
    LegalHold,
    RerankEndpoint,
    RetentionRules,
    RunKind,
    RunState,
    UsageRight,
    Version,
)
from documents.reranking.rerankers import CHAT
from workspaces.auditing.trail import told_with
from workspaces.models import Workspace

#: The latest versions, of a document that has many.
_VERSIONS = 15


def _versions(document: Document) -> Iterable[Version]:
    return document.versions.only("pk").order_by("-number")[:_VERSIONS]


def _deleted(deletion: Deletion) -> Iterable[Document]:
    return [deletion.document]


def _held(hold: LegalHold) -> Iterable[Document | Workspace]:
    return [hold.document or hold.workspace]


told_with[Document] = _versions
# Entries about these name the document, or the workspace that is held whole.
told_with[Deletion] = _deleted
told_with[LegalHold] = _held

_KINDS = {
    RunKind.TEST: pgettext_lazy("entry of the trail", "connection test"),
    RunKind.PREVIEW: pgettext_lazy("entry of the trail", "preview"),
    RunKind.SYNC: pgettext_lazy("entry of the trail", "sync"),
}
spoken[EventType.SOURCE_RUN_ASKED, "kind"] = spoken[EventType.SOURCE_RUN_ENDED, "kind"] = _KINDS
spoken[EventType.SOURCE_RUN_ENDED, "state"] = {
    RunState.DONE: pgettext_lazy("entry of the trail", "done"),
    RunState.HELD: pgettext_lazy("entry of the trail", "done, and its removals wait for a person"),
    RunState.FAILED: pgettext_lazy("entry of the trail", "failed"),
}
# Without what the sentences beside the change itself name, which no entry holds.
spoken[EventType.EMBEDDING_STOPPED, "problem"] = {
    "above_ceiling": gettext_lazy("documents are classified higher than its endpoint may read"),
    "provider": gettext_lazy("its server refused"),
    "index": gettext_lazy("the vector index did not answer"),
    "exchanged": gettext_lazy("its server gave other vectors for the same text than before"),
    "worker_died": gettext_lazy("several attempts ended without a word"),
    "not_allowed": gettext_lazy("whoever asked for a comparison may no longer open documents there"),
}
spoken[EventType.BULK_ASKED, "act"] = spoken[EventType.BULK_ENDED, "act"] = dict(BulkAct.choices)

_GOVERNED = ("owner", "purpose", "residency", "residency_note", "ceiling", "name", "base_url", "model")
_OF_EMBEDDING = ("dimension", "query_prefix", "passage_prefix", "languages", "currency", "batch", "floor")
fields(EventType.ENDPOINT_CHANGED, EmbeddingEndpoint, *_GOVERNED, *_OF_EMBEDDING, "key_reference", "price", "seconds")
fields(EventType.ENDPOINT_CHANGED, RerankEndpoint, "protocol")
fields(
    EventType.RETENTION_CHANGED,
    RetentionRules,
    *("bin_days", "after_added_days", "after_expired_days", "after_replaced_days", "keeps_answers"),
)
spoken_settings[EventType.WORKSPACE_CHANGED, "reranker"] = Setting(
    gettext_lazy("Reranker"),
    {"none": pgettext_lazy("entry of the trail", "none"), CHAT: pgettext_lazy("entry of the trail", "the chat model")},
)
spoken_settings[EventType.DOCUMENT_USAGE_STATED, ""] = Setting(gettext_lazy("Usage rights"), dict(UsageRight.choices))
spoken_settings[EventType.FOLDER_RENAMED, ""] = spoken_settings[EventType.DOCUMENT_MOVED, ""] = Setting(
    gettext_lazy("Folder")
)
