"""Fine-tuning under governance: an adviser, training sets of approved answers, jobs at a provider, their models."""
