"""A version: immutable bytes, what became of them, and the stages that were done for them."""

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from documents.models.document import Document
from documents.states import OPEN, STOPPED, WITHDRAWN, VersionState

#: Where originals lie in the storage, in folders by the first letters of their keys.
ORIGINALS = "originals"


def original_path(version: "Version", filename: str) -> str:
    """A random key: the name a person gave a file never becomes a path."""
    return f"{ORIGINALS}/{version.pk.hex[:2]}/{version.pk}"


#: Fields of a version never read with the row: they may be megabytes.
HEAVY = ("text", "sections")


class Version(models.Model):
    """Immutable bytes with a hash, and what became of them. The row is the ingestion job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    #: Rises with each arrival of bytes for the document, old bytes included: the latest arrival that is ready answers.
    turn = models.PositiveIntegerField(default=0)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    filename = models.CharField(max_length=1000)
    format = models.CharField(max_length=20, blank=True)
    file = models.FileField(upload_to=original_path, max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    state = models.CharField(max_length=12, choices=VersionState.choices, default=VersionState.RECEIVED)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_sentence = models.TextField(blank=True)
    failure_retryable = models.BooleanField(default=False)
    ready_at = models.DateTimeField(null=True, blank=True)

    #: Who works on it: writes are conditional on `attempt`, so a worker that lost its lease changes nothing.
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: Attempts that ended without a word (the worker died); three of them set the version aside.
    deaths = models.PositiveIntegerField(default=0)
    #: Attempts that ended with an error in the portal; three of them end the version as failed.
    errors = models.PositiveIntegerField(default=0)
    #: It waits for the embedding server and is not taken before; None: it may be taken now.
    retry_at = models.DateTimeField(null=True, blank=True)
    #: Since when that server gave no vector for it. The last ones it gave may not have been compared with its model.
    refused_since = models.DateTimeField(null=True, blank=True)
    #: Passages that have their vector, for the progress bar.
    done = models.PositiveIntegerField(default=0)
    #: The index may hold vectors of this version; False only when it is known to hold none.
    in_index = models.BooleanField(default=False)

    #: Normalised once at parse time; every citation points into exactly this.
    text = models.TextField(blank=True)
    #: `[{kind, number, label, heading, start, end}]`, see documents/parse.
    sections = models.JSONField(default=list, blank=True)
    #: `{hidden: {kind: characters}, unread: [[name, code]]}`: what is no part of the text: see
    #: documents/viewer/findings.py.
    findings = models.JSONField(default=dict, blank=True)
    language = models.CharField(max_length=8, blank=True)
    page_count = models.PositiveIntegerField(default=0)
    passage_count = models.PositiveIntegerField(default=0)
    pipeline = models.CharField(max_length=64, blank=True, help_text=_("Fingerprint of parser, splitter and space."))

    class Meta:
        verbose_name = _("version")
        ordering = ["document", "-number"]
        constraints = [
            # What was erased is gone: the same bytes may come again, as a version of their own.
            models.UniqueConstraint(
                fields=["document", "sha256"],
                condition=~Q(state=VersionState.DELETED),
                name="version_bytes_once",
            ),
            models.UniqueConstraint(fields=["document", "number"], name="version_number_once"),
            models.UniqueConstraint(
                fields=["document"], condition=Q(state=VersionState.READY), name="version_one_ready"
            ),
            models.CheckConstraint(
                condition=~Q(state=VersionState.READY) | Q(passage_count__gt=0, ready_at__isnull=False),
                name="version_ready_has_passages",
            ),
            models.CheckConstraint(
                condition=~Q(state=VersionState.FAILED) | ~Q(failure_sentence=""),
                name="version_failure_says_why",
            ),
        ]
        indexes = [
            models.Index(F("lease_until").asc(nulls_first=True), name="version_waiting", condition=Q(state__in=OPEN)),
            models.Index(fields=["id"], name="version_to_withdraw", condition=Q(state__in=WITHDRAWN, in_index=True)),
            models.Index(fields=["document"], name="version_stopped", condition=Q(state__in=STOPPED)),
            # What lists order and filter by, so that nobody reads through the texts for it.
            models.Index(
                fields=["id"],
                name="version_listed",
                include=["state", "format", "size", "page_count", "passage_count", "created_at"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.filename} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        is_new = self._state.adding
        super().save(*args, **kwargs)
        if is_new:
            self.become_latest()

    def become_latest(self) -> None:
        """Its bytes arrived just now: from here on the list of documents tells of this version."""
        Document.objects.filter(pk=self.document_id).update(latest_version=self)
        if "document" in self._state.fields_cache:
            self.document.latest_version = self

    @property
    def extension(self) -> str:
        return Path(self.filename).suffix.lower().lstrip(".")


class StageRun(models.Model):
    """One stage done for one version under one pipeline: doing it again is a no-op that says so."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=20)
    pipeline = models.CharField(max_length=64)
    attempt = models.PositiveIntegerField()
    seconds = models.FloatField()
    detail = models.JSONField(default=dict)
    finished_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "stage", "pipeline"], name="stage_once_per_pipeline"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} of {self.version_id}"
