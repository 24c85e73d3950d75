"""Charts as PNG, with the same bytes everywhere: a canvas, pages, bars and heat maps."""
