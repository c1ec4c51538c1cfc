"""Why a winner ranks as it does: associations, drivers, contributions, and what they can bear.

May import: errors, schema, record, customers, learning, verdict. Computes, draws nothing. What it
finds goes with the target; nothing here tells what causes it.
"""
