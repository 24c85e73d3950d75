"""A tree of XHTML → blocks of Markdown, without loss and without repetition."""
