"""A purchase log in, customers at several snapshots out."""
