"""The models of the installation: presets of known servers, how each is asked, and a test of one."""
