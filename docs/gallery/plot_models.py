"""
Compare models
==============

x
"""

import retain

retain.__version__
