"""What a person sees: progress, summary, explanations."""
