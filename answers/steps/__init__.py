"""One file a step; `answers/pipeline.py` lists them in order."""
