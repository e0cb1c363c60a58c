"""Mails as they travel, with what is attached to them."""

from collections.abc import Mapping
from email.message import EmailMessage, Message
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path


def eml(
    path: Path, *, subject: str = "", plain: str = "", html: str = "", attached: Mapping[str, bytes | Message] = {}
) -> Path:
    """Attachments are bytes, or messages inside the message."""
    mail = EmailMessage()
    mail["From"] = "The manager <manager@portal.example>"
    mail["To"] = "everyone@portal.example"
    mail["Date"] = "Wed, 04 Mar 2026 10:15:00 +0100"
    mail["Subject"] = subject
    mail.set_content(plain)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, content in attached.items():
        if isinstance(content, Message):
            mail.add_attachment(content)
        else:
            mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    path.write_bytes(mail.as_bytes())
    return path


def nested(depth: int) -> Message:
    """A message in a message, `depth` times; the innermost says "bottom"."""
    mail: Message = MIMEText("This is the bottom.")
    mail["Subject"] = f"Level {depth}"
    for level in range(depth - 1, -1, -1):
        around = MIMEMultipart()
        around["Subject"] = f"Level {level}"
        around.attach(MIMEText(f"Words of level {level}."))
        around.attach(MIMEMessage(mail))
        mail = around
    return mail
