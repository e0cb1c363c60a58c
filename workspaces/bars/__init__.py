"""Never rules in a workspace: `rules.py` has the verbs, `views.py` the pages."""
