"""MathML → LaTeX."""
