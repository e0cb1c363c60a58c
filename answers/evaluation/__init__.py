"""Question sets, runs of them through the real pipeline, and the gate a change has to pass before it goes live.

`sets.py` keeps questions, `files.py` reads and writes them, `runs.py` has the verbs of a run and `working.py` is the
work, `trial.py` answers one question without making an answer of it, `scoring.py` and `figures.py` measure, `gate.py`
decides what may go live.
"""
