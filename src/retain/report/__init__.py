"""Pages and pictures of a verdict. Draws, computes nothing: every number stands in the verdict."""
