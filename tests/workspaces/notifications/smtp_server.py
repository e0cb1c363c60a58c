"""A mail server on loopback that keeps what it is given. What it says depends on the address it is asked to take."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class Mailbox(socketserver.ThreadingTCPServer):
    """`refused@` never takes mail, `later@` not now, and the connection breaks under a mail for `vanish@`."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.received: list[tuple[list[str], EmailMessage]] = []

    @property
    def port(self) -> int:
        return self.server_address[1]

    def to(self, address: str) -> list[EmailMessage]:
        return [message for recipients, message in self.received if address in recipients]


class _Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 here")
        recipients: list[str] = []
        while line := self.rfile.readline():
            verb = line.decode(errors="replace").strip()
            word = verb.split(" ", 1)[0].upper()
            if word == "RCPT":
                address = verb.partition("<")[2].partition(">")[0]
                if address.startswith("refused@"):
                    self._say("550 5.1.1 no such person")
                elif address.startswith("later@"):
                    self._say("451 4.3.0 try later")
                else:
                    recipients.append(address)
                    self._say("250 ok")
            elif word == "DATA":
                self._say("354 go on")
                body = self._body()
                if any(address.startswith("vanish@") for address in recipients):
                    return
                message = message_from_bytes(body, policy=policy.default)
                self.server.received.append((recipients, message))  # type: ignore[arg-type]
                recipients = []
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                if word in {"MAIL", "RSET"}:
                    recipients = []
                self._say("250 ok")

    def _body(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def serve() -> Iterator[Mailbox]:
    """A server for the length of a block."""
    with Mailbox() as mailbox:
        thread = threading.Thread(target=mailbox.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield mailbox
        finally:
            mailbox.shutdown()
            thread.join()
