"""The fishbone (Ishikawa diagram) of a verdict's explanations."""
