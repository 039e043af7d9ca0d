"""Plain public resolution, answered from the octets of the question without building anything between.

records.py     the records a worker remembers, by key                        ┐
short_way.py   plain questions answered from them, as octets or datagrams    ┴ in Python; compiled.pyx is their twin
choice.py      which of the twins serves
plain.py       how the resolver uses it
"""
