#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check text on standard input against the OpenMetrics grammar, and against what
the older text format would refuse: families in one piece, declared before their
samples, no sample twice, counters ending in _total, an end."""

import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(
    rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)?\}})? (-?[0-9.e+]+)$")
COMMENT = re.compile(rf"# (TYPE|HELP) ({NAME}) (.+)$")
BOTH = ("counter", "gauge", "histogram", "summary")


def fail(number, line, why):
    sys.exit(f"line {number}: {why}: {line}")


def sample(number, line, family, kind, seen):
    match = SAMPLE.match(line)
    if not match:
        fail(number, line, "neither a sample nor a known comment")
    if match[1] != family + ("_total" if kind == "counter" else ""):
        fail(number, line, f"not of the family {family}")
    key = match[1], match[2]
    if key in seen:
        fail(number, line, "a second time")
    seen.add(key)
    if kind == "counter" and float(match[3]) < 0:
        fail(number, line, "a counter below zero")


def main():
    lines = sys.stdin.read().split("\n")
    if lines[-2:] != ["# EOF", ""]:
        sys.exit(f"no end: {lines[-2:]}")
    family, kind, families, seen = None, None, set(), set()
    for number, line in enumerate(lines[:-2], 1):
        match = COMMENT.match(line)
        if not match:
            sample(number, line, family, kind, seen)
        elif match[1] == "TYPE":
            family, kind = match[2], match[3]
            if kind not in BOTH:
                fail(number, line, "a type that only one format knows")
            if family in families:
                fail(number, line, "a family in two pieces")
            families.add(family)
        elif match[2] != family:
            fail(number, line, "help for another family")
    if not families:
        sys.exit("nothing in it")


main()
