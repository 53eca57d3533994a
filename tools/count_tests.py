#!/usr/bin/python3
"""Counts GoogleTest cases in the XML reports that Bazel keeps.

Usage: count_tests.py TESTLOGS LABEL...
Names what failed and what was skipped, with its reason, then prints "PASSED FAILED SKIPPED".
A test program without a report, or one that ended before it wrote its own, is one failure.
"""

import pathlib
import sys
import xml.etree.ElementTree


def first_line(element):
    """The reason in a message of GoogleTest: what stands behind the place."""
    lines = (element.get("message") or "").splitlines()
    return " ".join(line.strip() for line in lines[1:] or lines)


def count_report(report, label):
    passed = failed = skipped = 0
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.get("status") == "notrun":
            continue
        problems = case.findall("failure") + case.findall("error")
        reason = case.find("skipped")
        if problems:
            failed += 1
            print(f"failed: {label} {name}")
        elif reason is not None or case.get("result") == "skipped":
            skipped += 1
            print(f"skipped: {label} {name}: {first_line(reason)}")
        else:
            passed += 1
    return passed, failed, skipped


def main():
    logs = pathlib.Path(sys.argv[1])
    total = [0, 0, 0]
    for label in sys.argv[2:]:
        folder = logs / label.removeprefix("//").replace(":", "/")
        reports = sorted(folder.glob("**/test.xml"))
        if not reports:
            print(f"failed: {label}: did not run")
            total[1] += 1
        for report in reports:
            total = [a + b for a, b in zip(total, count_report(report, label))]
    print(*total)


if __name__ == "__main__":
    main()
