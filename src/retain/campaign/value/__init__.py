"""What a decline costs, and how sure that is: risk made a probability, money, its intervals."""
