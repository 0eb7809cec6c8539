"""Runs the cases of plan/ and errors/: see conftest.py. The exit code is part of the expected text."""


def test_plan(plan_case, compare):
    assert compare(plan_case, "plan") == 0


def test_errors(errors_case, compare):
    compare(errors_case, "errors")
