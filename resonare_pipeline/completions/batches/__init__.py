"""OpenAI's Batch API, over the same cache and keys as online: half the price, within a day."""
