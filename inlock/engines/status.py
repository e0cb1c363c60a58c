"""Say of each engine whether it answers, which version it is, and what to do when it does not."""

import http.client
import importlib.metadata
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from inlock.engines.addresses import Addresses, addresses, var_directory
from inlock.engines.places import RECIPES, URL_OF, Place, embedded

TIMEOUT = 3

START = "Start the portal with `manage.py serve`; any other command starts it for its own duration."


@dataclass(frozen=True)
class EngineStatus:
    """One engine as `doctor` and the health page show it. `address` never carries a password."""

    name: str
    title: str
    kind: str  # "embedded" or "external"
    address: str
    version: str
    running: bool
    fault: str
    next_step: str
    disk_bytes: int | None


def status(var: Path | None = None) -> list[EngineStatus]:
    """The state of the three engines now. Starts nothing, and never raises for an engine that is down."""
    var = var_directory(var)
    where = addresses(var)
    ours = embedded()
    return [_status(name, var, where, is_ours=name in ours) for name in RECIPES]


def without_password(url: str) -> str:
    """The address for people: its password replaced, and a socket's path readable."""
    parts = urlsplit(url)
    if parts.password is not None:
        host = unquote(parts.netloc.rpartition("@")[2])
        parts = parts._replace(netloc=f"{parts.username}:***@{host}")
    return parts.geturl()


def _status(name: str, var: Path, where: Addresses, *, is_ours: bool) -> EngineStatus:
    url = {"postgresql": where.database_url, "valkey": where.redis_url, "chroma": where.chroma_url}[name]
    recipe = RECIPES[name](var)
    version, fault, next_step = "", "", ""
    if is_ours and not Place(var, name).has_keeper():
        said = Place(var, name).last_said()
        fault, next_step = str(said.get("fault") or "It is not running."), START
    else:
        version, fault = _ask(name, url)
        if fault and is_ours:
            said = Place(var, name).last_said()
            fault = str(said.get("fault") or fault)
            next_step = f"It is restarted by itself; {recipe.log} says why it ended."
        elif fault:
            next_step = f"Check that the server named in {URL_OF[name]} runs, can be reached and lets us in."
    if is_ours and name == "chroma":
        version = importlib.metadata.version("chromadb")  # the server only tells the version of its protocol
    return EngineStatus(
        name=name,
        title=recipe.title,
        kind="embedded" if is_ours else "external",
        address=without_password(url),
        version=version,
        running=not fault,
        fault=fault,
        next_step=next_step,
        disk_bytes=size(recipe.data) if is_ours else None,
    )


def _ask(name: str, url: str) -> tuple[str, str]:
    """The version of a server that answers, or an empty one and the fault."""
    return {"postgresql": _ask_postgresql, "valkey": _ask_valkey, "chroma": _ask_chroma}[name](url)


def _ask_postgresql(url: str) -> tuple[str, str]:
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=TIMEOUT) as connection:
            number = connection.info.server_version
    except psycopg.OperationalError as error:
        return "", f"It does not answer: {_first_line(error)}"
    if number < 150000:
        return str(number // 10000), "PostgreSQL 15 or newer is needed."
    return f"{number // 10000}.{number % 10000}", ""


def _ask_valkey(url: str) -> tuple[str, str]:
    import redis

    try:
        with redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT) as client:
            told = client.info("server")
    except (redis.RedisError, OSError) as error:
        return "", f"It does not answer: {_first_line(error)}"
    return str(told.get("valkey_version") or told.get("redis_version") or ""), ""


def _ask_chroma(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/api/v2/version")
        answer = connection.getresponse()
        told = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return "", f"It does not answer: {_first_line(error)}"
    finally:
        connection.close()
    if answer.status != 200:
        return "", f"It answers with HTTP status {answer.status}."
    return str(json.loads(told)), ""


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__


def size(directory: Path) -> int:
    """The bytes of all files below a directory, which may be in use."""
    total = 0
    for folder, _, files in os.walk(directory):
        for file in files:
            try:
                total += Path(folder, file).lstat().st_size
            except FileNotFoundError:  # a running engine removes files while we count
                continue
    return total
