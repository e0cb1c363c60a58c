"""What auditors ask for: the trail read and verified, rights told again from it, and one signed archive of it all."""
