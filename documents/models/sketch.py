"""A sketch of what a version says, by which near-duplicates are found."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from documents.models.version import Version


class Sketch(models.Model):
    """MinHash of a current version's words (documents/coverage/alike.py). Disposable: made anew when it is missing."""

    version = models.OneToOneField(Version, on_delete=models.CASCADE, primary_key=True, related_name="sketch")
    #: 64 hashes of 32 bits, little-endian; empty where there are too few words to compare.
    hashes = models.BinaryField()
    #: Hashes of the bands: documents that share one are looked at.
    bands = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"sketch of {self.version_id}"
