"""
Profit at risk and segments
===========================

A score alone does not say whom to care for. Calibrated risk times what a decline would cost is
the profit at risk; segments are customers of like risk and value.
"""

# %%
# One model is enough here.

import retain

customers = retain.demo(customers=500)
study = retain.sweep(customers, study="outputs/value", model="logreg", quiet=True)
verdict = retain.compare(study, explain="fast")

# %%
# How many customers are in each cell of risk and profit:

verdict.plot("risk_profit")

# %%
# The segments with their risk and the profit at risk:

columns = ["segment", "n_customers", "risk", "expected_profit_at_risk", "contactable_share"]
verdict.segments[columns].round(2)

# %%
# The profit of those who declined, by segment:

verdict.plot("segments")

# %%
# Can one multiply these probabilities by money? Only if they agree with what happened.

verdict.plot("calibration")

# %%
# What the risk goes with. These are associations, not causes.

verdict.plot("fishbone")
