"""English, for readers on both sides of the ocean: 3/4 is one day here and another there."""
