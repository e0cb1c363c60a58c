"""Question sets, runs of them through the real pipeline, and the gate a change has to pass before it goes live.

`sets.py` keeps questions, `reading_files.py` and `writing_files.py` bring them in and out. `runs.py` has the verbs of a
run and `working.py` is the work, `trial.py` answers one question without making an answer of it, `scoring.py`,
`intervals.py` and `figures.py` measure. `gate.py` has the verbs of a change and `verdict.py` says whether it passed.
"""
