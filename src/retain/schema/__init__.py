"""The types of ``conf/``: values live only in YAML, types only here."""
