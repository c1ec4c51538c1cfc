"""
Compare models
==============

Which model ranks customers best, and how sure is that? A study fits every combination of the
values in lists, each over the same folds; the comparison says which runs are tied with the
best.
"""

# %%
# The demo store makes up customers in four files with typical flaws, and reads them.

import retain

customers = retain.demo(customers=400)
customers.features.head(3)

# %%
# What would give the answer away? The audit looks for leaks before anything is fitted.

retain.audit(customers)[["code", "outcome"]]

# %%
# Three models, each with and without the features of the site.

study = retain.sweep(
    customers,
    study="outputs/models",
    model=["dummy", "logreg", "extra_trees"],
    features__site=[True, False],
    quiet=True,
)
study

# %%
# The comparison chooses the winner, opens the sealed test for it alone, and says who is tied
# with it.

verdict = retain.compare(study, explain="none", campaign="none")
verdict

# %%
# The leaderboard; every run has the metrics of all its folds.

columns = ["rank", "model", "features.site", "roc_auc", "difference", "p_adjusted", "tied"]
verdict.to_frame()[columns].round(3)

# %%
# Each run with its 95 % confidence interval:

verdict.plot("intervals")

# %%
# What moved ROC-AUC, all else equal:

verdict.plot("effects")

# %%
# How the winner ranks customers that it has not met:

verdict.plot("roc")
