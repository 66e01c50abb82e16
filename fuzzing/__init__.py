"""Fuzzing that stays: cases by mutation for every door of jtfne, and a verdict on each
(`nox -s fuzz`).
"""
