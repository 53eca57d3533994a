#!/usr/bin/python3
"""Puts GoogleTest reports of several runtimes side by side.

Usage: conformance_table.py DIRECTORY...
A directory is named as the runtime is and holds its reports, TOPIC.xml, and TOPIC.log. Prints how many
rows each passed and failed and how many do not apply here, the rows that are not the same for all, and
why rows do not apply. Fails when the first failed a row, or passed fewer than another.
"""

import collections
import pathlib
import sys
import xml.etree.ElementTree

PASSED, FAILED, SKIPPED, ABSENT = "passed", "FAILED", "n/a", "-"


def reason_of(case):
    """What stands in the message of GTEST_SKIP, behind the place."""
    lines = (case.find("skipped").get("message") or "").splitlines()
    return " ".join(line.strip() for line in lines[1:] or lines)


def outcome_of(case):
    if case.findall("failure") or case.findall("error"):
        return FAILED
    return SKIPPED if case.find("skipped") is not None else PASSED


def read(directory):
    """{(topic, row): outcome} and {(topic, row): reason}; a program that died is a row of its own."""
    rows, reasons = {}, {}
    for log in sorted(directory.glob("*.log")):
        report = log.with_suffix(".xml")
        if not report.exists():
            rows[log.stem, "(the test program itself)"] = FAILED
            continue
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            if case.get("status") == "notrun":
                continue
            row = log.stem, f"{case.get('classname')}.{case.get('name')}"
            rows[row] = outcome_of(case)
            if rows[row] == SKIPPED:
                reasons[row] = reason_of(case)
    return rows, reasons


def print_line(label, cells, width):
    print(f"{label:<{width}}" + "".join(f"{cell:>10}" for cell in cells))


def main():
    names = [pathlib.Path(path).name for path in sys.argv[1:]]
    found = [read(pathlib.Path(path)) for path in sys.argv[1:]]
    tables = [rows for rows, _ in found]
    all_rows = sorted(set().union(*tables))
    width = 2 + max((len(row) for _, row in all_rows), default=20)

    print_line("", names, width)
    counts = [collections.Counter(rows.values()) for rows in tables]
    for label, outcome in (("rows passed", PASSED), ("rows failed", FAILED),
                           ("not applicable here", SKIPPED)):
        print_line(label, [count[outcome] for count in counts], width)

    topic = None
    for row in all_rows:
        cells = [rows.get(row, ABSENT) for rows in tables]
        if len(set(cells)) == 1 and cells[0] != FAILED:
            continue
        if topic is None:
            print("\nRows that are not the same for all, or failed:")
        if row[0] != topic:
            topic = row[0]
            print(f"\n{topic}")
        print_line("  " + row[1], cells, width + 2)

    why = collections.defaultdict(list)
    for name, (_, reasons) in zip(names, found):
        for row, reason in reasons.items():
            why[row[1], reason].append(name)
    if why:
        print("\nRows that do not apply here:\n")
    for (row, reason), those in sorted(why.items()):
        print(f"  {row}: {reason}" + ("" if len(those) == len(names) else f" ({', '.join(those)})"))

    ours = counts[0]
    return 1 if ours[FAILED] or any(ours[PASSED] < other[PASSED] for other in counts[1:]) else 0


if __name__ == "__main__":
    sys.exit(main())
