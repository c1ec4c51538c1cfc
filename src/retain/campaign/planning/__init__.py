"""The plan: who gets which offer and who is held out, its prices, its power, how it is told."""
