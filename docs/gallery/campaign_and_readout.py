"""
A campaign and its readout
==========================

Whom to offer what within a budget, and what came of it. A control group is left alone, so that
the difference to it is the effect.
"""

# %%
# A winner, to begin with.

import numpy as np

import retain

customers = retain.demo(customers=700)
study = retain.sweep(customers, study="outputs/campaign", model="logreg", quiet=True)
verdict = retain.compare(study, explain="none")

# %%
# A plan for at most 40 units of profit.

plan = retain.plan_campaign(verdict, budget=40)
plan

# %%
# How the net value grows with the budget:

retain.load("outputs/campaign/verdict").plot("budget_curve")

# %%
# What it would be under other assumptions:

retain.load("outputs/campaign/verdict").plot("tornado")

# %%
# Some months later it is known who declined. Here the offers keep every third.

random = np.random.default_rng(0)
chosen = plan.to_frame()
risk = chosen["risk"].where(chosen["arm"] == "control", chosen["risk"] * 2 / 3)
outcomes = chosen[["customer_id"]].assign(declined=random.random(len(chosen)) < risk)

# %%
# Everybody counts in the arm that they were drawn into.

readout = retain.readout(plan, outcomes)
readout

# %%
# The whole, then segments and offers; parts are tested only if the whole has an effect and they
# differ.

columns = ["scope", "name", "difference", "difference_low", "difference_high", "conclusion"]
readout.to_frame()[columns].round(3)
