"""Who opens which document: closing it, naming who may, never rules, and the pages on which managers see to it."""
