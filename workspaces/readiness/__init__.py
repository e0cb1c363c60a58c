"""Whether a workspace is ready to be used: checks of everything it stands on, run, scored, signed and kept.

`registry.py` is what a check is, and each app registers its own (its `readiness` modules). `asking.py` has a run made,
`running.py` does it while `holding.py` keeps its lease, `report.py` signs what was found, `phases.py` lets a workspace
into pilot by it, `reading.py` is what people see. `thresholds.py` has every figure that decides between good and bad.
"""
