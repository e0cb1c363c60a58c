"""Embedding models and their spaces; the door to a model is `documents/embeddings.py`.

`vector_space.py` says which vectors compare, `spaces.py` in which space a workspace is searched, `endpoints.py` has the
verbs of administrators; `remote.py`, `model_files.py` and `multilingual.py` stand behind the door.
"""
