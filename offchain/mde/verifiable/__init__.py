"""Quotes that a contract can check: the twins of ``contracts/mde/quotes``.

Where the pricing artefact is one extracted tree, its comparisons and the scores in its leaves are
whole numbers, and so are the values of the samples. The owner commits to the tree by its hash
(``tree``), the seller sells samples one to a chunk (``samples``) and commits to the running totals
of their scores (``scores``), and the price follows from the last total (``rules``).
"""
