"""Make an answer once more with the same evidence and model, and show what came out differently.

`ask.py` has the verbs, `run.py` is the work, `sameness.py` says what has to be as it was, and `forgetting.py` ends
replays with the documents they rest on.
"""
