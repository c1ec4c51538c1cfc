"""What may be offered to whom, what it costs and brings, and what is said.

May import: errors, schema, customers; campaign.audience, campaign.segmentation.rules.
"""
