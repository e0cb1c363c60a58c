"""What a workspace's documents cover and where they say the same twice."""
