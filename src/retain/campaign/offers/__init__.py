"""What may be offered to whom, what it costs and brings, and what is said."""
