"""The tree of folders: `keeping.py` has its verbs, `placing.py` says which document a file put into one is."""
