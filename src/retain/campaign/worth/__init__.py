"""What a decline costs, and how sure that is: risk made a probability, money, its intervals.

May import: errors, schema, customers, learning; campaign.audience, campaign.offering.economics.
"""
