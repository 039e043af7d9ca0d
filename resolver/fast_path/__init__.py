"""Plain public resolution, answered from the octets of the question without building anything between.

`plain.py` does it in Python. A compiled module of the same interface has its place here.
"""
