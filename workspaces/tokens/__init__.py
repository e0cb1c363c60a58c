"""API tokens: `keeping.py` has their verbs, `authentication.py` is the way in with one, `limits.py` how often.

`credentials.py` and `vouching.py` ask again later whether what let somebody in still does.
"""
