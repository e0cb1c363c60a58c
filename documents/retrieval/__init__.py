"""What `documents/search.py` is made of.

`scope.py` is what one person may open, `legs.py` asks both indexes, `fusion.py` and `ranking.py` make one order of it,
`evidence.py` says whether it can carry an answer, and `recording.py` searches as a person does, with an audit entry.
"""
