"""The graph: one module per group; each asset is a few lines of glue."""
