"""Pages and pictures of a verdict. Draws, computes nothing: every number stands in the verdict.

May import: errors, schema, record, customers, learning, verdict, reasons, campaign.
"""
