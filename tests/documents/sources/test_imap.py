"""A mailbox against a server of a few lines that speaks IMAP over TLS."""

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from documents.models import Document, RunKind, RunState
from documents.sources import imap
from documents.sources.imap import ImapConnector
from tests.documents.sources.servers import tell_names

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]


@dataclass
class Mailbox:
    port: int = 0
    messages: dict[int, bytes] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    connections: int = 0
    #: Size told before a message, when it is a lie.
    lie: int = 0


def _certificate(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return pem


def _speak(stream: Any, box: Mailbox) -> None:
    """One session, as far as the connector goes."""

    def say(line: str | bytes) -> None:
        stream.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        stream.flush()

    say("* OK ready")
    while line := stream.readline().decode().strip():
        tag, command, *rest = line.split(" ")
        box.said.append(" ".join([command, *rest]))
        words = " ".join(rest).upper()
        if command == "CAPABILITY":
            say("* CAPABILITY IMAP4rev1")
        elif command == "LOGIN" and '"marker-word"' not in line:
            say(f"{tag} NO wrong")
            continue
        elif command in ("EXAMINE", "SELECT"):
            say(f"* {len(box.messages)} EXISTS")
            say("* OK [UIDVALIDITY 7] x")
        elif words.startswith("SEARCH"):
            say("* SEARCH " + " ".join(map(str, box.messages)))
        elif words.startswith("FETCH"):
            for number in [int(one) for one in rest[1].split(",")]:
                message = box.messages[number]
                wanted = message if "BODY.PEEK[])" in words else message.split(b"\n\n")[0] + b"\n\n"
                say(f"* 1 FETCH (UID {number} RFC822.SIZE {len(message)} BODY[] {{{box.lie or len(wanted)}}}")
                stream.write(wanted)
                say(")")
        say(f"{tag} OK done")
        if command == "LOGOUT":
            return


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    pem = _certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        box.port = listening.getsockname()[1]

        def serve() -> None:
            while True:
                try:
                    plain, _address = listening.accept()
                except OSError:
                    return
                box.connections += 1
                try:
                    with context.wrap_socket(plain, server_side=True) as secure, secure.makefile("rwb") as stream:
                        _speak(stream, box)
                except OSError:
                    continue

        threading.Thread(target=serve, daemon=True).start()
        yield box
        listening.shutdown(socket.SHUT_RDWR)


def _mail(subject: str, text: str) -> bytes:
    return f"From: a@a.example\nTo: b@b.example\nSubject: {subject}\n\n{text}\n".encode()


@pytest.fixture
def options(mailbox: Mailbox) -> dict[str, Any]:
    mailbox.messages = {3: _mail("Leave", "Sixteen weeks."), 5: _mail("=?utf-8?q?Putovanje_=C5=BE?=", "Vozovi.")}
    return {"host": "127.0.0.1", "port": mailbox.port, "username": "reader", "folder": "INBOX"}


def test_new_messages_come_in_once_and_none_is_marked_as_seen(mailbox, options, make_source, policies, run):
    source = make_source("imap", options, secret="marker-word")

    assert run(source, RunKind.TEST).state == RunState.DONE
    first = run(source)
    mailbox.messages[9] = _mail("New", "Trains.")
    second = run(source)

    titles = Document.objects.filter(workspace=policies).values_list("path", "title")
    assert dict(titles) == {
        "handbook/INBOX/7-3.eml": "Leave",
        "handbook/INBOX/7-5.eml": "Putovanje ž",
        "handbook/INBOX/7-9.eml": "New",
    }
    assert (first.added, second.added, second.unchanged) == (2, 1, 2)
    assert not any(said.startswith(("SELECT", "STORE", "UID STORE", "DELETE")) for said in mailbox.said)


def test_a_wrong_password_is_named(options, make_source, run):
    assert run(make_source("imap", options, secret="other")).problem == "secret_refused"


def test_a_stored_password_that_cannot_be_sent_ends_a_run_in_words(options, make_source, run, monkeypatch):
    monkeypatch.setattr(ImapConnector, "secret_is_ascii", False)

    assert run(make_source("imap", options, secret="lozinka-č")).problem == "secret_letters"


def test_a_session_has_one_end(options, make_source, run, monkeypatch):
    monkeypatch.setattr("documents.sources.imap._SESSION_SECONDS", -1.0)

    assert run(make_source("imap", options, secret="marker-word")).problem == "too_slow"


def test_a_subject_without_end_is_cut_before_it_is_parsed(mailbox, options, make_source, run, monkeypatch):
    mailbox.messages = {3: _mail("=?utf-8?q?a?=x " * 4000, "Short.")}
    seen = []
    real = imap.BytesHeaderParser.parsebytes
    monkeypatch.setattr(
        imap.BytesHeaderParser, "parsebytes", lambda self, header: seen.append(len(header)) or real(self, header)
    )

    assert run(make_source("imap", options, secret="marker-word")).added == 1
    assert max(seen) <= 2000


def test_a_server_that_cannot_prove_its_name_hears_no_password(mailbox, options, make_source, run, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")

    assert run(make_source("imap", options, secret="marker-word")).problem == "unreachable"
    assert mailbox.said == []


def test_a_message_that_is_larger_than_it_says_is_not_read(mailbox, options, make_source, run, settings):
    settings.MAX_UPLOAD_BYTES = 10_000
    source = make_source("imap", options, secret="marker-word")
    mailbox.lie = 10_001

    assert run(source).problem == "too_large"


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
def test_no_mailbox_reaches_into_the_network(mailbox, options, make_source, run, settings, monkeypatch, inside):
    settings.SOURCE_HOSTS = ["mail.example", "*"]
    names = tell_names(monkeypatch)
    names["mail.example"] = [[inside]]

    after = run(make_source("imap", options | {"host": "mail.example"}, secret="marker-word"))

    assert after.problem == "host_inside"
    assert mailbox.connections == 0
