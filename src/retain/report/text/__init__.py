"""Sentences, numbers and names in each language."""
