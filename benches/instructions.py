"""How many instructions the hot kernels of a run take, held against what they took: `instructions.py RISKSTRAT [--record]`.

RISKSTRAT is a release build. It invents people (`riskstrat synth`, seed 1) and runs `pipelines/nhs-weekly.toml` on them with one
worker under `valgrind --tool=callgrind`. Counts are of a kernel with everything that it calls, for each row of all sources; unlike
times they hardly depend on what else the machine does, but they say nothing of waiting for memory. Printed is each kernel beside
what `instructions.csv` has recorded of it; a kernel that takes over 3 % more ends the script with 1. Less is good news: record it.
`--record` writes the table anew; a change that does so says why.
"""

import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORDED = HERE / "instructions.csv"
PERSONS = 10_000
AS_OF = "2026-04-01"
MAY_GROW = 1.03

# What a kernel does, and the end of its function's name. A function that is inlined is in no list: then this table is wrong.
KERNELS = {
    "decode a batch of Parquet": "source::parquet::Reader as core::iter::traits::iterator::Iterator>::next",
    "conform a column": "conform::columns::Maker::column",
    "find duplicates": "conform::duplicates::Found::among",
    "find the people of a block of rows": "link::known::Known<S>::find",
    "link a batch": "link::Records::link_chunk",
    "features of a batch": "features::plan::Plan::update",
    "counts and latest values of a batch": "features::table::Table::update",
    "codes met with a list": "features::met::CodeMemory::meet",
    "hear what a batch says": "features::hear::Hearing::hear",
    "keep rows for measures": "features::keep::Keeping::keep",
    "resolve what sources say": "link::evidence::resolve",
    "tallies of inequality": "audit::inequality::tallies",
    "score everyone": "score::of",
}


def ran(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def counted(riskstrat):
    """Instructions for each row of all sources, by kernel."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        ran([riskstrat, "synth", "--persons", PERSONS, "--seed", 1, folder / "data"])
        run = [riskstrat, "run", HERE.parent / "pipelines" / "nhs-weekly.toml", "--as-of", AS_OF, "--partitions", 1]
        profile = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder / 'profile'}"]
        ran([*profile, *run, "--deliveries", folder / "data", "--out", folder / "out"])
        lines = ran(["callgrind_annotate", "--inclusive=yes", "--threshold=100", folder / "profile"]).splitlines()
        current = (folder / "out" / "current").read_text().strip()
        receipt = json.loads((folder / "out" / "runs" / current / "receipt.json").read_text())
    rows = sum(source["rows"] for source in receipt["sources"])
    counts = dict.fromkeys(KERNELS, 0)
    for line in lines:
        found = re.match(r"\s*([\d,]+) \(.*?\)\s+(.*?)(?: \[[^\]]*\])?$", line)
        for kernel, name in KERNELS.items():
            if found and re.sub(r"'\d+$", "", found[2]).endswith(name):
                counts[kernel] = max(counts[kernel], int(found[1].replace(",", "")))
    missing = [kernel for kernel, count in counts.items() if count == 0]
    if missing:
        raise SystemExit(f"not in the profile: {', '.join(missing)}")
    return {kernel: count / rows for kernel, count in counts.items()}


def main():
    counts = counted(sys.argv[1])
    if "--record" in sys.argv[2:]:
        with RECORDED.open("w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["kernel", "instructions_a_row"])
            table.writerows((kernel, f"{count:.2f}") for kernel, count in counts.items())
        return
    with RECORDED.open() as file:
        recorded = {row["kernel"]: float(row["instructions_a_row"]) for row in csv.DictReader(file)}
    grown = 0
    for kernel, count in counts.items():
        ratio = count / recorded[kernel]
        grown += ratio > MAY_GROW
        print(f"{kernel:36} {count:9.2f} {recorded[kernel]:9.2f} {ratio:6.3f}{'  more' if ratio > MAY_GROW else ''}")
    if grown:
        raise SystemExit(f"{grown} kernels take over {MAY_GROW - 1:.0%} more instructions than recorded")


if __name__ == "__main__":
    main()
