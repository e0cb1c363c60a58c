"""How a workspace, or the whole installation, is used: counts for those who run it, and no word of what was asked."""
