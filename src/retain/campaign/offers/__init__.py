"""Offers: eligibility, costs and value, texts."""
