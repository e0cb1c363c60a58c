"""What is common to endpoints of every kind, whatever model or server the apps above reach by them."""
