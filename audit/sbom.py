"""The software bill of materials of what runs here: CycloneDX 1.6 in JSON, from the installed distributions."""

import re
import uuid
from datetime import datetime
from importlib.metadata import Distribution, distributions
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def bill_of_materials(application: str, at: datetime) -> dict[str, Any]:
    """Every distribution this process could import, with versions, licences as declared, and what needs what."""
    found = {_normalised(one.name): one for one in distributions()}
    components = [_component(name, one) for name, one in sorted(found.items())]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": at.isoformat(),
            "component": {"type": "application", "bom-ref": application, "name": application},
        },
        "components": components,
        "dependencies": [
            {"ref": application, "dependsOn": [component["bom-ref"] for component in components]},
            *[
                {"ref": _purl(name, one), "dependsOn": sorted(_purl(need, found[need]) for need in _needs(one, found))}
                for name, one in sorted(found.items())
            ],
        ],
    }


def _component(name: str, one: Distribution) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(name, one),
        "name": one.name,
        "version": one.version,
        "purl": _purl(name, one),
    }
    licences = _licences(one)
    return component | ({"licenses": licences} if licences else {})


def _licences(one: Distribution) -> list[dict[str, Any]]:
    expression = one.metadata.get("License-Expression")
    if expression:
        return [{"expression": expression}]
    classified = [line for line in one.metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    names = [line.rpartition(" :: ")[2] for line in classified if line.rpartition(" :: ")[2] != "OSI Approved"]
    # A whole licence text in this field is no name.
    stated = one.metadata.get("License", "")
    if not names and stated and len(stated) < 100:
        names = [stated]
    return [{"license": {"name": name}} for name in dict.fromkeys(names)]


def _needs(one: Distribution, found: dict[str, Distribution]) -> set[str]:
    """The installed distributions that it requires whatever extras are chosen."""
    names = set()
    for line in one.requires or []:
        match = _NAME.match(line)
        if match and "extra ==" not in line:
            names.add(_normalised(match.group()))
    return {name for name in names if name in found}


def _purl(name: str, one: Distribution) -> str:
    return f"pkg:pypi/{name}@{one.version}"


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
