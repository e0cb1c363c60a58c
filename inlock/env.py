"""Typed readers for the environment: a value is read once, checked, and refused in words when it is wrong."""

import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path


class SettingError(Exception):
    """A setting in the environment cannot be used; the message names it and says what to write instead."""


#: Set before anything else is imported, for every entry point: no library may phone home or fetch a model.
ALWAYS = {
    "ORT_DISABLE_TELEMETRY": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "UV_PYTHON_DOWNLOADS": "never",
}

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def silence_libraries() -> None:
    """Switch off telemetry and downloads in every library we load. Call before importing any of them."""
    os.environ.update(ALWAYS)


def load_dotenv(path: Path) -> None:
    """Read KEY=VALUE lines from `path` into the environment; what is already set there wins."""
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        if not separator:
            raise SettingError(f"{path.name}, line {number}: write NAME=value.")
        os.environ.setdefault(key.strip(), value.strip().strip("\"'"))


class Env:
    """Reads settings from a mapping, by default the process's environment, and remembers which were asked for."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = os.environ if values is None else values
        self.asked: list[str] = []

    def str(self, name: str, default: str = "") -> str:
        """The text of NAME; NAME_FILE, when set, names a file that holds it (for secrets)."""
        self.asked.append(name)
        file = self.values.get(f"{name}_FILE")
        if file:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingError(f"{name}_FILE: cannot read {file}: {error.strerror}.") from error
        return self.values.get(name, "").strip() or default

    def bool(self, name: str, default: bool) -> bool:
        raw = self.str(name).lower()
        if not raw:
            return default
        if raw in _TRUE | _FALSE:
            return raw in _TRUE
        raise SettingError(f"{name} is {raw!r}: write true or false.")

    def int(self, name: str, default: int, *, minimum: int = 0) -> int:
        raw = self.str(name)
        if not raw:
            return default
        if not raw.isdigit() or int(raw) < minimum:
            raise SettingError(f"{name} is {raw!r}: write a whole number of at least {minimum}.")
        return int(raw)

    def list(self, name: str, default: "list[str] | None" = None) -> "list[str]":
        raw = self.str(name)
        return [part.strip() for part in raw.split(",") if part.strip()] if raw else (default or [])

    def figures(self, name: str) -> "dict[str, int]":
        """Whole numbers by name, as `managers_warn=4, gaps_warn=10`."""
        found = {}
        for part in self.list(name):
            key, separator, figure = (text.strip() for text in part.partition("="))
            if not separator or not key or not figure.isdigit():
                raise SettingError(f"{name}: {part} is no figure. Write one such as managers_warn=4.")
            found[key] = int(figure)
        return found

    def networks(self, name: str) -> "list[str]":
        networks = self.list(name)
        for network in networks:
            try:
                ip_network(network)
            except ValueError as error:
                raise SettingError(f"{name}: {network} is no network. Write one such as 10.0.0.0/8.") from error
        return networks

    def path(self, name: str, default: Path) -> Path:
        raw = self.str(name)
        return Path(raw).expanduser() if raw else default
