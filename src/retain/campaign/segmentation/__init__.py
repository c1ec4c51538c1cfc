"""Which customers belong together: rules, bands, a tree; what each segment is.

May import: errors, schema, customers, verdict; campaign.audience.
"""
