"""Scores and profit → whom to win back: what is at risk, segments, offers, a plan, its read-out.

audience.py, settings.py   who it is about, and what it rests on
worth/                     what a decline costs, and how sure that is
segmentation/              which customers belong together
offering/                  what may be offered to whom
allocation.py, solver/     the best choice within limits, and its certificate
planning/                  the plan, its control group, its prices, how it is told
campaign.py, applied.py    all of it together: among these customers, among new ones
assignment.py, readout/    the plan as it was drawn, and what it really saved
shares.py                  two shares held against each other
reference.py, drift.py     what scores were learnt from, and how far new customers moved
"""
