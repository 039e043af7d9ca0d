"""Three invented manufacturers of Jiangsu's trades and their products: what a new node has to show.

The CSV files beside this module are written by `python -m node.samples.generate`.
"""
