"""What is said of one thing that was looked at, and how figures in it are written."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `fault` is empty when it is as it should be; a next step may still be advised."""

    name: str
    state: str
    fault: str = ""
    next_step: str = ""


def megabytes(count: int) -> str:
    """Bytes as megabytes, for a person."""
    return f"{count / 1024**2:,.0f} MB"
