"""Seeing the portal as somebody else: `looks.py` has the verbs, `viewing.py` is what a request is meanwhile."""
