"""Scores and profit → value, segments, offers, a plan and its readout.

audience.py                customers and settings
value/                     recalibrated risk, the cost of a decline, and intervals
segmentation/              segments, their profiles and stability
offers/                    eligibility, cost, net value and texts of offers
allocation/                the best choice within limits, and its upper bound
planning/                  the plan, its control group, power and sensitivity
campaign.py, tables.py     all parts together, for training and for new customers
assignment.py, readout/    the planned assignment, and its measured effect
shares.py                  comparison of two shares
reference.py, drift.py     training distributions, and the drift of new customers
"""
