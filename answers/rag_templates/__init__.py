"""RAG templates: what a workspace does with a question, in versions that never change.

`built_in/` holds those we wrote, `content.py` says what a version consists of, `filters.py` and `shapes.py` read two of
its parts, `keeping.py` has the verbs of who manages, `choosing.py` says which version a question is asked with,
`trial.py` tries a version beside the one in force, and `problems.py` says what keeps one from answering.
"""
