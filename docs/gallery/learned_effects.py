"""
Learned effects
===============

An offer may help some customers and do nothing for others. A randomised campaign shows whom it
helped, in any table that says who was assigned to which arm and what came of it.
"""

# %%
# A mailing to every second customer. It brings visits from those who order often, and none from
# the others.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import retain

random = np.random.default_rng(0)
n = 3000
orders, region = random.poisson(3, n), random.choice(["north", "south"], n)
arm = random.choice(["none", "mailing"], n)
visits = 0.15 + 0.3 * (orders >= 4) * (arm == "mailing")
trial = pd.DataFrame(
    {
        "customer": np.arange(n),
        "orders": orders,
        "region": region,
        "arm": arm,
        "visit": np.where(random.random(n) < visits, "yes", "no"),
    }
)
trial.head()

# %%
# The effect on average. A mailing costs 0.5, a visit is worth 3.

readout = retain.readout(
    trial,
    data__id="customer",
    treatment="arm",
    control="none",
    outcome="visit",
    value__visit=3,
    cost__mailing=0.5,
    name="mailing",
)
readout

# %%
# And for whom? Whether effects differ between customers at all is tested first. Where it is
# shown, plans by what was learned are compared with plans for nobody and for everybody.

effects = retain.learn_effects(readout)
effects

# %%
# What each plan would earn a customer, judged on customers whom it did not learn from. All
# intervals hold together; the choice is the simplest of the plans tied with the best.

effects.to_frame()[["policy", "value", "value_low", "value_high", "contacted_share", "is_tied"]]

# %%
# The effect by subgroup, as `report.html` in the folder of the readout shows it:

subgroups = pd.read_csv(effects.path / "subgroups.csv")
names = subgroups["covariate"] + " " + subgroups["subgroup"]
below = subgroups["difference"] - subgroups["difference_low"]
above = subgroups["difference_high"] - subgroups["difference"]
figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
axes.errorbar(subgroups["difference"], names, xerr=(below, above), fmt="o")
axes.axvline(0, color="grey", linewidth=1)
axes.set_xlabel("more visits with the mailing, 95 % interval")
axes.invert_yaxis()
