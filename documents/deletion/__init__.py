"""Deleting a document, and what must not be deleted.

`tombstones.py` is the moment of deletion, `erasing.py` ends what is left, `proving.py` looks for copies with
`traces.py` and signs one of `receipts.py`. `holds.py` keeps what must stay, `retention.py` deletes by a workspace's
rules, `dependants.py` is where the app above tells what rests on a document.
"""
