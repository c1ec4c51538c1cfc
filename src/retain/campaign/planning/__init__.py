"""The plan: who gets which offer and who is held out, its prices, its power, how it is told.

May import: errors, schema; campaign.audience, campaign.allocation, campaign.settings,
campaign.worth, campaign.offering.
"""
