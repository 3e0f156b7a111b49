#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draw what blackhole.sh has measured: bars on standard output, and an SVG."""
import argparse
import json
import statistics
from html import escape

WIDE, HIGH, GAP, LEFT, TOP = 132, 150, 22, 56, 64
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.small { font-size: 11px; fill: #57606a }
.name { font-weight: 600 }
.axis { stroke: #8c959f; stroke-width: 1 }
.grid { stroke: #8c959f; stroke-width: .5; stroke-dasharray: 2 3 }
.stock { fill: #bc4c00 } .ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 }
  .stock { fill: #f0883e } .ours { fill: #58a6ff }
}
"""


def median_line(lines):
    """One line that stands for several runs. A run's CPUs are put in order of
    use first: which of them is the busy one differs from run to run."""
    def busy(line):
        return sorted((100 * cpu / line["seconds"] for cpu in line["cpus"][1:]), reverse=True)
    return {
        "label": lines[0]["label"],
        "use": [statistics.median(at) for at in zip(*map(busy, lines))],
        "gbps": statistics.median(line["gbps"] for line in lines),
        "arrived": statistics.median(100 * line["sunk"] / line["held"] for line in lines),
        "per_cpu": statistics.median(line["gbps"] / max(sum(line["cpus"][1:]) / line["seconds"], 1e-9)
                                     for line in lines),
    }


def text(rows, caption):
    print(caption)
    for row in rows:
        print(f"\n{row['label']}: {row['gbps']:.2f} Gbit/s delivered ({row['arrived']:.0f} % of what came),"
              f" {row['per_cpu']:.2f} a busy CPU")
        for number, use in enumerate(row["use"], 1):
            bar = "█" * round(use / 2.5)
            print(f"  {'busiest' if number == 1 else '':>8} {bar:<40} {use:3.0f} %")


def panel(row, at, out):
    kind = "stock" if row["label"].startswith("stock") else "ours"
    step = WIDE / len(row["use"])
    foot = TOP + HIGH
    for share in (50, 100):
        y = foot - HIGH * share / 100
        out.append(f'<line class="grid" x1="{at}" x2="{at + WIDE}" y1="{y}" y2="{y}"/>')
    for number, use in enumerate(row["use"]):
        high = HIGH * min(use, 100) / 100
        x = at + number * step
        out.append(f'<rect class="{kind}" x="{x + step * .12:.1f}" y="{foot - high:.1f}"'
                   f' width="{step * .76:.1f}" height="{high:.1f}"/>')
        out.append(f'<text class="small" text-anchor="middle" x="{x + step / 2:.1f}"'
                   f' y="{foot - high - 3:.1f}">{use:.0f}</text>')
    out.append(f'<line class="axis" x1="{at}" x2="{at + WIDE}" y1="{foot}" y2="{foot}"/>')
    middle = at + WIDE / 2
    for line, (style, words) in enumerate((
            ("name", row["label"]),
            ("", f"{row['gbps']:.2f} Gbit/s"),
            ("small", f"{row['arrived']:.0f} % of what came"),
            ("small", f"{row['per_cpu']:.2f} Gbit/s a busy CPU"))):
        out.append(f'<text class="{style}" text-anchor="middle" x="{middle}" y="{foot + 18 + 16 * line}">'
                   f'{escape(words)}</text>')


def picture(rows, caption):
    width = LEFT + len(rows) * (WIDE + GAP)
    height = TOP + HIGH + 112
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
           f' height="{height}" role="img" aria-label="{escape(caption)}">',
           f"<style>{STYLE}</style>",
           f'<text class="title" x="{LEFT}" y="22">CPU use of the receiving gateway, busiest CPU first</text>']
    for share in (0, 50, 100):
        out.append(f'<text class="small" text-anchor="end" x="{LEFT - 8}"'
                   f' y="{TOP + HIGH - HIGH * share / 100 + 4}">{share} %</text>')
    for number, row in enumerate(rows):
        panel(row, LEFT + number * (WIDE + GAP), out)
    half = caption.index("; ") + 2
    for line, words in enumerate((caption[:half].strip(), caption[half:])):
        out.append(f'<text class="small" x="{LEFT}" y="{height - 26 + 15 * line}">{escape(words)}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines")
    parser.add_argument("--svg", required=True)
    for number in ("cores", "tunnels", "rate", "packet"):
        parser.add_argument(f"--{number}", type=int, required=True)
    options = parser.parse_args()
    runs = {}
    for line in map(json.loads, open(options.lines)):
        runs.setdefault(line["label"], []).append(line)
    rows = [median_line(lines) for lines in runs.values()]
    receiving = len(rows[0]["use"])
    caption = (f"{options.tunnels} tunnels, {options.packet}-byte packets, {options.rate // 1000} kpps sent"
               f" ({options.rate * options.packet * 8 / 1e9:.1f} Gbit/s), a receive queue for each tunnel; "
               f"emulated: {receiving} virtual CPUs receive, one is the wire, on {options.cores} real cores;"
               f" medians of {len(next(iter(runs.values())))} runs")
    text(rows, caption)
    with open(options.svg, "w", encoding="utf-8") as file:
        file.write(picture(rows, caption))


if __name__ == "__main__":
    main()
