#!/usr/bin/env python
"""Run a command of the portal: `manage.py serve` starts everything, `manage.py help` lists the rest."""

import os
import sys

from inlock.launch import run

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
    sys.exit(run(sys.argv))
