"""Campaign plan: offers and control group, with their prices, power and sensitivity."""
