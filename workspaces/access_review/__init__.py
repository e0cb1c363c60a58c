"""Access reviews: `reviewing.py` has the verbs of a manager, `kinds.py` the rights that are looked at."""
