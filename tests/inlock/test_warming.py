"""What a worker has loaded before it takes its first question or file."""

import logging
import subprocess
import sys
import threading
from types import SimpleNamespace

from documents import embeddings
from inlock import celery, warming
from inlock.engines import PROJECT_ROOT

LOADED = """
import gc, json, sys
import django
django.setup()
assert gc.isenabled() and gc.get_freeze_count() > 100_000
from inlock import warming
heavy = ["answers.extractive", "chromadb", "langchain_core", "langchain_openai", "onnxruntime", "tokenizers"]
before = [name for name in heavy if name in sys.modules]
warming.warm_for_questions()
print(json.dumps([before, [name for name in heavy if name in sys.modules]]))
"""


def test_a_worker_for_questions_has_loaded_what_its_models_need_and_no_other_vendor():
    told = subprocess.run([sys.executable, "-c", LOADED], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)

    # The installation of this run asks the built-in model only.
    assert told.stdout.splitlines()[-1] == (
        '[[], ["answers.extractive", "chromadb", "langchain_core", "onnxruntime", "tokenizers"]]'
    )


def test_an_index_that_is_down_keeps_no_worker_from_starting(settings, caplog):
    settings.CHROMA_URL = "http://127.0.0.1:9"

    with caplog.at_level(logging.WARNING, logger="inlock.warming"):
        warming.warm_for_files()

    assert "index does not answer" in caplog.text


def test_a_worker_that_takes_no_questions_does_not_wait_for_what_they_need(monkeypatch):
    warmed = []
    monkeypatch.setattr(warming, "warm_for_questions", lambda: warmed.append("questions"))

    for queues in (["ingest"], ["interactive", "maintenance"]):
        amqp = SimpleNamespace(queues=SimpleNamespace(consume_from=queues))
        celery._warm_before_the_first_question(sender=SimpleNamespace(app=SimpleNamespace(amqp=amqp)))

    assert warmed == ["questions"]


def test_a_pool_process_warms_beside_its_work_and_loads_the_model_once(monkeypatch):
    loads = []
    embeddings._load_minilm.cache_clear()
    real = embeddings._load_session
    monkeypatch.setattr(embeddings, "_load_session", lambda: loads.append("session") or real())

    celery._warm_beside_the_first_file()
    embeddings.embed_query("A file that is first.", embeddings.default_space())
    for thread in threading.enumerate():
        if thread.name == "warming":
            thread.join(60)

    assert loads == ["session"]
