"""What can go wrong with an engine, as a sentence a person can act on."""

from pathlib import Path


class EngineFailed(Exception):
    """An embedded engine could not be started, reached or stopped."""

    def __init__(self, engine: str, happened: str, *, log: Path | None = None, next_step: str = "") -> None:
        self.engine = engine
        self.happened = happened
        self.log = log
        self.next_step = next_step
        parts = [f"{engine}: {happened.rstrip('.')}."]
        if log is not None:
            parts.append(f"Its log is {log}.")
        if next_step:
            parts.append(next_step)
        super().__init__(" ".join(parts))

    @classmethod
    def as_told(cls, sentence: str) -> "EngineFailed":
        """The failure another process already put into words."""
        failure = cls(sentence.split(":", 1)[0], "")
        failure.args = (sentence,)
        return failure
