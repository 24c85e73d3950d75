"""A dataset → one page of HTML that a person reads: figures, charts, samples, what changed."""
