"""Batch calls that moto answers, and what each is worth: one function per call.

A function gets the account, prepares it, and returns the call's parameters and the verdict for each item. What the real
service does otherwise is said beside the case.
"""

from cases import data, machines, messages, others  # each adds its cases
from cases.case import CASES

__all__ = ["CASES", "data", "machines", "messages", "others"]
