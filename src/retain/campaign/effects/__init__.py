"""Effects learned from trials: of whom, how sure, and what plans by them are worth."""
