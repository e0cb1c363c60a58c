"""The software bill of materials of what runs here: CycloneDX 1.6 in JSON, from the installed distributions."""

import re
import uuid
from collections.abc import Collection
from datetime import datetime
from functools import cache
from importlib.metadata import PackageMetadata, distributions
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def bill_of_materials(application: str, at: datetime) -> dict[str, Any]:
    """Every distribution this process could import, with versions, licences as declared, and what needs what."""
    found = _installed()
    references = {name: f"pkg:pypi/{name}@{metadata['Version']}" for name, metadata in sorted(found.items())}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": at.isoformat(),
            "component": {"type": "application", "bom-ref": application, "name": application},
        },
        "components": [_component(reference, found[name]) for name, reference in references.items()],
        "dependencies": [
            {"ref": application, "dependsOn": list(references.values())},
            *[
                {"ref": reference, "dependsOn": sorted(references[need] for need in _needs(found[name], references))}
                for name, reference in references.items()
            ],
        ],
    }


@cache
def _installed() -> dict[str, PackageMetadata]:
    """What is installed, by name. Read once: it is 200 files, and a process runs what was there when it began."""
    every = [one.metadata for one in distributions()]
    return {_normalised(metadata["Name"]): metadata for metadata in every}


def _component(reference: str, metadata: PackageMetadata) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference,
        "name": metadata["Name"],
        "version": metadata["Version"],
        "purl": reference,
    }
    licences = _licences(metadata)
    return component | ({"licenses": licences} if licences else {})


def _licences(metadata: PackageMetadata) -> list[dict[str, Any]]:
    expression = _first(metadata, "License-Expression")
    if expression:
        return [{"expression": expression}]
    classified = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    names = [line.rpartition(" :: ")[2] for line in classified if line.rpartition(" :: ")[2] != "OSI Approved"]
    # A whole licence text in this field is no name.
    stated = _first(metadata, "License")
    if not names and stated and len(stated) < 100:
        names = [stated]
    return [{"license": {"name": name}} for name in dict.fromkeys(names)]


def _first(metadata: PackageMetadata, field: str) -> str:
    return next(iter(metadata.get_all(field) or []), "")


def _needs(metadata: PackageMetadata, installed: Collection[str]) -> set[str]:
    """The installed distributions that it requires whatever extras are chosen."""
    names = set()
    for line in metadata.get_all("Requires-Dist") or []:
        match = _NAME.match(line)
        if match and "extra ==" not in line:
            names.add(_normalised(match.group()))
    return {name for name in names if name in installed}


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
