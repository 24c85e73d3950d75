"""Every call to a model: request, cache, limits, cost, providers."""
