"""Runs the tests with the house around them; arguments are those of unittest."""

import sys
import unittest

import house

with house.standing():
    tests = unittest.main(module=None, exit=False)
sys.exit(not tests.result.wasSuccessful())
