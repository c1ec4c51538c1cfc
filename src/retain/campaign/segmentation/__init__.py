"""Which customers belong together: rules, bands, a tree; what each segment is."""
