"""A template taken in, and versions of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest


@pytest.fixture
def adopted(policies: Any, manager: Any) -> Callable[..., Any]:
    """adopted("policy_lookup") → the built-in template, switched on in `policies`."""
    from answers.rag_templates import keeping

    return lambda code, **named: keeping.adopt(named.get("workspace", policies), code, by=named.get("by", manager))


@pytest.fixture
def changed(manager: Any) -> Callable[..., Any]:
    """changed(template, shape="list") → a further version of it with that changed, in force."""
    from answers.rag_templates import content, keeping

    def change(template: Any, **parts: Any) -> Any:
        newest = template.versions.first()
        version = keeping.save(template, replace(content.of(newest), **parts), by=manager)
        keeping.put_in_force(version, by=manager)
        template.refresh_from_db()
        return template.current

    return change
