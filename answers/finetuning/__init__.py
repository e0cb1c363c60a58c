"""Fine-tuning under governance: an adviser, training sets from approved answers, jobs at a provider, and their models."""
