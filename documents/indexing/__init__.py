"""What keeps the two indexes like the database; their doors are `documents/index.py` and `documents/keywords.py`.

`writing.py` brings vectors in and out, `replicas.py` keeps the words, `checks.py` compares by the calendar with
`documents/reconcile.py`, and `vectors.py` searches the stored embeddings without an index.
"""
