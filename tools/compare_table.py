#!/usr/bin/python3
"""Puts GoogleTest reports of several runtimes side by side.

Usage: compare_table.py [--write FILE MARK] DIRECTORY...
A directory is named as the runtime is and holds its reports, TOPIC.xml, and TOPIC.log. Prints how many
rows each passed and failed and how many do not apply here, the rows that are not the same for all, and
why rows do not apply. --write puts all rows, as Markdown, between the lines "<!-- table: MARK -->" and
"<!-- end of table -->" of FILE. Fails when the first failed a row, or did not pass one that another passed.
"""

import collections
import datetime
import pathlib
import re
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


def print_differences(all_rows, tables, width):
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


def print_reasons(names, reasons_of_all):
    why = collections.defaultdict(list)
    for name, reasons in zip(names, reasons_of_all):
        for row, reason in reasons.items():
            why[row[1], reason].append(name)
    if why:
        print("\nRows that do not apply here:\n")
    for (row, reason), those in sorted(why.items()):
        print(f"  {row}: {reason}" + ("" if len(those) == len(names) else f" ({', '.join(those)})"))


def words(name):
    """A test's name as a sentence: "DockerExec.GivesATerminal" is "gives a terminal"."""
    parts = [part for part in name.split(".", 1)[1].split("/") if not part.isdigit()]
    parts[-1] = parts[-1].replace("_", " ")
    spaced = " ".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=A)(?=[A-Z][a-z])", " ", part) for part in parts)
    return spaced[:1].lower() + spaced[1:].lower()


def markdown(names, all_rows, tables):
    counts = [collections.Counter(rows.values()) for rows in tables]
    lines = [f"On {datetime.date.today()}:", "", "| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for label, outcome in (("passed", PASSED), ("failed", FAILED), ("not applicable", SKIPPED)):
        lines.append(f"| {label} | " + " | ".join(str(count[outcome]) for count in counts) + " |")
    topic = None
    for row in all_rows:
        if row[0] != topic:
            topic = row[0]
            lines += ["", f"| {topic.replace('_', ' ')} | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
        cells = [rows.get(row, ABSENT) for rows in tables]
        lines.append(f"| {words(row[1])} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(path, mark, text):
    begin, end = f"<!-- table: {mark} -->", "<!-- end of table -->"
    document = pathlib.Path(path).read_text()
    before, found, rest = document.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        sys.exit(f"{path}: there is no \"{begin}\" followed by \"{end}\"")
    pathlib.Path(path).write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")


def main():
    arguments = sys.argv[1:]
    target = None
    if arguments[:1] == ["--write"]:
        target, arguments = arguments[1:3], arguments[3:]
    names = [pathlib.Path(path).name for path in arguments]
    found = [read(pathlib.Path(path)) for path in arguments]
    tables = [rows for rows, _ in found]
    all_rows = sorted(set().union(*tables))
    width = 2 + max((len(row) for _, row in all_rows), default=20)

    print_line("", names, width)
    counts = [collections.Counter(rows.values()) for rows in tables]
    for label, outcome in (("rows passed", PASSED), ("rows failed", FAILED), ("not applicable here", SKIPPED)):
        print_line(label, [count[outcome] for count in counts], width)
    print_differences(all_rows, tables, width)
    print_reasons(names, [reasons for _, reasons in found])
    if target:
        write(*target, markdown(names, all_rows, tables))

    ours = tables[0]
    missed = [row for row in all_rows if ours.get(row) != PASSED and any(t.get(row) == PASSED for t in tables[1:])]
    return 1 if counts[0][FAILED] or missed else 0


if __name__ == "__main__":
    sys.exit(main())
