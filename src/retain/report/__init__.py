"""Page and charts of a verdict. Computes nothing: every number comes from the verdict."""
