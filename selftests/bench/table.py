# SPDX-License-Identifier: GPL-2.0
"""Standard input: a line for each measurement, "ROW/WHAT key=value ...". Standard
output: a table of medians, and what each is of the best stock line of its row."""
import collections
import statistics
import sys

HEAD = "%-28s %4s %9s %8s %11s %9s %9s"
LINE = "%-28s %4d %9.0f %8.3f %11.3f %9.2f %9.2f"


def read(lines):
    rows = collections.defaultdict(list)
    for line in lines:
        name, *values = line.split()
        rows[name].append({key: float(value) for key, value in
                           (word.split("=") for word in values)})
    return rows


def median(runs, key):
    return statistics.median(run.get(key, 0) for run in runs)


def per_cpu(runs):
    """Gbit of each second that the host's CPUs were busy for."""
    return statistics.median(run["gbit"] / run["hostcpu"] if run.get("hostcpu")
                             else 0 for run in runs)


def ratio(of, to):
    return of / to if to else 0


def main():
    rows = read(sys.stdin)
    print(HEAD % ("row/what", "runs", "kpps", "Gbit/s", "Gbit/CPU-s", "x best",
                  "x best/CPU"))
    for name, runs in rows.items():
        row = name.rsplit("/", 1)[0]
        stock = [rows[other] for other in rows if other.startswith(row + "/stock")]
        best = max((median(other, "gbps") for other in stock), default=0)
        best_per_cpu = max(map(per_cpu, stock), default=0)
        print(LINE % (name, len(runs), median(runs, "pps") / 1e3,
                      median(runs, "gbps"), per_cpu(runs),
                      ratio(median(runs, "gbps"), best),
                      ratio(per_cpu(runs), best_per_cpu)))


main()
