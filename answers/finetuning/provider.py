"""The fine-tuning API of an OpenAI-compatible provider: files, jobs, their events. The door is `documents/fetch.py`.

Nothing is retried here: what is sent may cost money, so whoever calls notes first that it sends, and looks before it
sends again.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

from answers.exceptions import EndpointError
from answers.models import FineTuningJob, KeyHeader, ModelEndpoint
from answers.registry.keys import key_of
from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits, Outgoing
from documents.model_server import BUSY, PASSING, SENTENCES, listed
from workspaces.hosts import HostList

_SMALL = Limits(connect_seconds=10, read_seconds=30, total_seconds=60, total_bytes=8 * 1024 * 1024, redirects=0)
_UPLOAD = Limits(connect_seconds=10, read_seconds=120, total_seconds=900, total_bytes=1024 * 1024, redirects=0)
_PAGE = 100
#: Pages of files, jobs or events looked through at most.
_MOST_PAGES = 50
_TOO_LARGE = 413


class ProviderFailed(Exception):
    """The provider did not do as asked. `passes`: it may by the next time, in `after` seconds where it says so."""

    def __init__(self, sentence: str, *, passes: bool = False, after: int = 0, missing: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.passes, self.after, self.missing = sentence, passes, after, missing


@dataclass(frozen=True, slots=True)
class Remote:
    """A job as the provider tells of it."""

    id: str
    status: str
    model: str
    tokens: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a job."""

    id: str
    at: datetime
    level: str
    message: str


class Provider:
    """The API at one endpoint's address, with its key. Raises EndpointError when the key is missing."""

    def __init__(self, endpoint: ModelEndpoint) -> None:
        key, header = key_of(endpoint), endpoint.key_header

        def sign(request: Outgoing) -> Mapping[str, str]:
            if not key:
                return {}
            return {"api-key": key} if header == KeyHeader.API_KEY else {"authorization": f"Bearer {key}"}

        self._name, self._version = endpoint.name, endpoint.api_version
        self._base = endpoint.base_url.rstrip("/")
        self._fetcher = _Fetcher(home=self._base, sign=sign)

    @classmethod
    def of(cls, job: FineTuningJob) -> Self:
        """Where the job was begun. Raises EndpointError, also when its endpoint leads somewhere else since."""
        if not job.endpoint_label.endswith(f" at {job.endpoint.base_url}"[:300]):
            raise EndpointError(_("The endpoint leads to another server than the one where this was begun."))
        return cls(job.endpoint)

    def upload(self, filename: str, content: bytes) -> str:
        """Send a file to train on; what the provider calls it."""
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'.encode(),
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'.encode(),
            b"Content-Type: application/jsonl\r\n\r\n",
            content,
            f"\r\n--{boundary}--\r\n".encode(),
        ]
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        return self._id(self._send("POST", "/files", headers=headers, body=b"".join(parts), limits=_UPLOAD))

    @staticmethod
    def name_of(job: uuid.UUID, split: str) -> str:
        """What a file is called when it is sent, by which it is found again."""
        return f"inlock-{job}-{split}.jsonl"

    def delete(self, file: str) -> None:
        """Have a file deleted; one that is gone already is no failure."""
        try:
            self._send("DELETE", f"/files/{quote(file, safe='')}")
        except ProviderFailed as failed:
            if not failed.missing:
                raise

    def delete_model(self, name: str) -> None:
        """Have a trained model deleted; one that is gone already is no failure."""
        try:
            self._send("DELETE", f"/models/{quote(name, safe='')}")
        except ProviderFailed as failed:
            if not failed.missing:
                raise

    def find_file(self, filename: str) -> str:
        """What the provider calls the file of that name; "" if it has none."""
        pages = self._pages("/files", purpose="fine-tune")
        return next((str(one.get("id", "")) for one in pages if one.get("filename") == filename), "")

    def create(self, *, model: str, train_file: str, validation_file: str, suffix: str, epochs: int | None) -> Remote:
        """Begin a job."""
        wanted: dict[str, Any] = {"model": model, "training_file": train_file, "suffix": suffix}
        if validation_file:
            wanted["validation_file"] = validation_file
        if epochs is not None:
            wanted["hyperparameters"] = {"n_epochs": epochs}
        headers = {"content-type": "application/json"}
        return self._job(self._send("POST", "/fine_tuning/jobs", headers=headers, body=json.dumps(wanted).encode()))

    def find_job(self, train_file: str) -> Remote | None:
        """The job that trains on that file, if there is one."""
        found = (one for one in self._pages("/fine_tuning/jobs") if one.get("training_file") == train_file)
        return self._job(one) if (one := next(found, None)) is not None else None

    def job(self, remote_id: str) -> Remote:
        """The job as it stands."""
        return self._job(self._send("GET", f"/fine_tuning/jobs/{quote(remote_id, safe='')}"))

    def cancel(self, remote_id: str) -> None:
        """Ask that the job ends."""
        self._send("POST", f"/fine_tuning/jobs/{quote(remote_id, safe='')}/cancel")

    def events(self, remote_id: str) -> Iterator[Told]:
        """What the provider tells of the job, newest first."""
        for one in self._pages(f"/fine_tuning/jobs/{quote(remote_id, safe='')}/events"):
            at = one.get("created_at")
            yield Told(
                id=str(one.get("id", ""))[:200],
                at=datetime.fromtimestamp(at if isinstance(at, int) and 0 <= at < 2**32 else 0, UTC),
                level=str(one.get("level", ""))[:10],
                message=_clean(one.get("message", ""))[:300],
            )

    # --- Inside ---------------------------------------------------------------------------------------------

    def _pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        after = ""
        for _page in range(_MOST_PAGES):
            asked = {**query, "limit": str(_PAGE), **({"after": after} if after else {})}
            said = self._send("GET", path, query=asked)
            rows = said.get("data")
            if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
                raise self._wrong()
            yield from rows
            last = str(rows[-1].get("id", "")) if rows else ""
            # A provider that goes on with the same page for ever is not followed for ever.
            if not said.get("has_more") or not last or last == after:
                return
            after = last

    def _job(self, said: dict[str, Any]) -> Remote:
        error, tokens = said.get("error"), said.get("trained_tokens")
        return Remote(
            id=self._id(said),
            status=str(said.get("status", ""))[:40],
            model=_clean(said.get("fine_tuned_model") or "")[:200],
            tokens=tokens if type(tokens) is int and 0 <= tokens < 10**12 else None,
            error=_clean(error.get("message") or "")[:200] if isinstance(error, dict) else "",
        )

    def _id(self, said: dict[str, Any]) -> str:
        found = said.get("id")
        if not isinstance(found, str) or not 0 < len(found) <= 200:
            raise self._wrong()
        return found

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limits: Limits = _SMALL,
    ) -> dict[str, Any]:
        asked = {**(query or {}), **({"api-version": self._version} if self._version else {})}
        url = f"{self._base}{path}" + (f"?{urlencode(asked)}" if asked else "")
        try:
            with self._fetcher.send(method, url, headers=headers, body=body, limits=limits) as reply:
                said = json.loads(reply.read())
        except SourceFailed as failed:
            raise self._translated(failed) from failed
        except ValueError as error:
            raise self._wrong() from error
        if not isinstance(said, dict):
            raise self._wrong()
        return said

    def _translated(self, failed: SourceFailed) -> ProviderFailed:
        status = int(failed.detail.get("status") or 0)
        code = failed.code
        if code == "missing":
            return ProviderFailed(_("%(name)s knows no such thing.") % {"name": self._name}, missing=True)
        if code == "status" and status == _TOO_LARGE:
            return ProviderFailed(_("The file is larger than %(name)s takes.") % {"name": self._name})
        if code == "status":
            code = "busy" if status in BUSY else "refused"
        sentence = _(SENTENCES[code]) if code in SENTENCES else _("%(name)s did not speak the protocol.")
        after = int(failed.detail.get("after") or 0)
        return ProviderFailed(sentence % {"name": self._name, "status": status}, passes=code in PASSING, after=after)

    def _wrong(self) -> ProviderFailed:
        # What was asked for may have been done all the same.
        return ProviderFailed(_("%(name)s did not speak the protocol.") % {"name": self._name}, passes=True)


class _Fetcher(Fetcher):
    """Goes to the hosts of models alone."""

    def hosts(self) -> HostList:
        return listed()


def _clean(text: Any) -> str:
    return str(text).replace("\0", "")


__all__ = ["EndpointError", "Provider", "ProviderFailed", "Remote", "Told"]
