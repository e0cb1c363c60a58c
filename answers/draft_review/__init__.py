"""Hold a person's own draft against the workspace's guidance, clause by clause.

`bringing.py` takes a draft in, `ruling.py` is what the workspace's template says of it, `run.py` is the work,
`clauses.py` splits; `terms.py`, `consistency.py`, `guidance.py` and `sections.py` are the built-in checks and
`asking.py` asks a model; `releasing.py`, `returning.py` and `rewording.py` have the verbs of reviewers, `deciding.py`
those of the draft's owner, `improved.py` is the text that comes of it, `export/` writes it to a file, and
`forgetting.py` ends what rests on a document that goes or changes.
"""
