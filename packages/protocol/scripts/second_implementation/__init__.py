"""A second implementation of docs/protocol 01 to 05, from the text alone, in Python 3 with its standard library.

It shares no code, no table and no constant with the TypeScript packages: it exists to disagree with them when one of the two is wrong.
It is slow, leaks timing, and must never protect anything.
"""
