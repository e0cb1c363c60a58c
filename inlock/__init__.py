"""Inlock: wiring. Importing this package silences library telemetry before any other import."""

from inlock.env import silence_libraries

silence_libraries()
