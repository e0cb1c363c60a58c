"""A zip file with a signed manifest that names every other file in it by its hash: evidence packs and archives."""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder

from audit import signing


class Bundle:
    """Writes files into a zip file and keeps the list that the manifest signs. Used as a context."""

    def __init__(self, out: IO[bytes]) -> None:
        self.zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
        self.files: list[dict[str, Any]] = []

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(self, *_error: object) -> None:
        self.zip.close()

    def add(self, name: str, parts: Iterable[str]) -> None:
        """One file, made of these pieces of text."""
        digest, size = hashlib.sha256(), 0
        with self.zip.open(name, "w", force_zip64=True) as out:
            for part in parts:
                data = part.encode("utf-8")
                out.write(data)
                digest.update(data)
                size += len(data)
        self.files.append({"name": name, "sha256": digest.hexdigest(), "size": size})

    def add_json(self, name: str, content: Any) -> None:
        """One file of JSON; ids and times become text."""
        self.add(name, [json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)])

    def sign(self, manifest: Mapping[str, Any]) -> str:
        """Write `manifest` with the list of files as the signed manifest, after which nothing is added; its text."""
        document = signing.sign({**manifest, "files": self.files})
        self.zip.writestr("manifest.json", document)
        return document
