"""What a campaign really saved: those contacted against those held out.

May import: errors, schema, record, customers, learning, verdict.
"""
