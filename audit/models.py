"""The trail: events in chains, each bound to the one before by hash; what was signed of them; what was archived.

No foreign keys: ids and labels are kept as they were, so that the trail blocks no deletion and follows none.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.events import event_choices


class Event(models.Model):
    """One entry of a chain. The database refuses to change or delete it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chain = models.CharField(_("chain"), max_length=64, help_text=_("platform, or workspace:<id>"))
    seq = models.PositiveBigIntegerField(_("number"))
    at = models.DateTimeField(_("time"))
    type = models.CharField(_("type"), max_length=40, choices=event_choices)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(_("person"), max_length=200, blank=True)
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_label = models.CharField(_("object"), max_length=300, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    body = models.TextField(help_text=_("The exact canonical bytes the hash is taken over."))
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        ordering = ["chain", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["chain", "seq"], name="event_chain_seq"),
            models.UniqueConstraint(fields=["chain", "prev_hash"], name="event_chain_prev_hash"),
        ]
        indexes = [
            models.Index(fields=["object_id", "seq"]),
            models.Index(fields=["actor_id", "at"]),
            models.Index(fields=["type", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.chain} #{self.seq} {self.type}"


class ChainHead(models.Model):
    """The last entry of a chain. Its row lock is what makes appending gap-free."""

    chain = models.CharField(primary_key=True, max_length=64)
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.chain} #{self.seq}"


class Checkpoint(models.Model):
    """What the installation signed about a chain: its first `seq` entries have this Merkle root.

    The row is the truth for writing the file outside; the file is what a rewritten database cannot change.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chain = models.CharField(max_length=64)
    seq = models.PositiveBigIntegerField()
    head_hash = models.CharField(max_length=64)
    root = models.CharField(max_length=64)
    #: The roots of the perfect subtrees, so that the next checkpoint reads only what came since.
    peaks = models.JSONField(default=list)
    key = models.CharField(max_length=64, help_text=_("The public Ed25519 key that signed it."))
    at = models.DateTimeField()
    document = models.TextField(help_text=_("The signed document, byte for byte as it is written outside."))

    class Meta:
        ordering = ["chain", "seq"]
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="checkpoint_chain_seq")]

    def __str__(self) -> str:
        return f"{self.chain} up to {self.seq}"


class TreeNode(models.Model):
    """A perfect subtree of a chain's Merkle tree, written with the checkpoint that covers it.

    Every eighth height is kept (256 entries, 65,536 …), so that the way from an entry to the root is found in a few
    short reads. A node never changes again, and a false one leads to no root that was signed.
    """

    id = models.BigAutoField(primary_key=True)
    chain = models.CharField(max_length=64)
    height = models.PositiveSmallIntegerField()
    #: Its number at this height, from 0.
    place = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "height", "place"], name="tree_node_once")]

    def __str__(self) -> str:
        return f"{self.chain} {self.height}/{self.place}"


class Archive(models.Model):
    """What an archive of a chain's beginning says, so that those entries may leave the database.

    The file itself lies with the operator; `document` is its signed manifest, byte for byte.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chain = models.CharField(max_length=64)
    upto = models.PositiveBigIntegerField()
    document = models.TextField()
    #: What later readers need of those entries, as the archive holds it too: file name → text.
    carried = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        ordering = ["chain", "upto"]
        constraints = [models.UniqueConstraint(fields=["chain", "upto"], name="archive_chain_upto")]

    def __str__(self) -> str:
        return f"{self.chain} up to {self.upto}"
