"""How the time of the whole job grows with its rows: `slope.py RISKSTRAT DATA DATA... [turns]`.

RISKSTRAT is a built program, each DATA a folder that the yardstick's generator wrote, of another size. Each turn runs the job once on
every folder, with two threads, after its files were read once. Printed are for each folder, of the fastest turn: rows, processor
seconds (user and system, of all threads), seconds, both for each million rows, and the most memory of any turn; then the slope of each on
logarithmic scales, by least squares: 1 where twice the rows take twice as long.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

YARDSTICK_RUN = Path(__file__).resolve().parent / "yardstick" / "run.toml"


def read_once(folder):
    """Has the files of a folder in the system's cache, as far as they fit."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(1 << 24):
                    pass


def timed(riskstrat, data):
    """Runs the job: rows, processor seconds, seconds, megabytes."""
    with tempfile.TemporaryDirectory() as out:
        command = [riskstrat, "run", YARDSTICK_RUN, "--deliveries", data, "--out", out, "--partitions", "2"]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status != 0:
            raise SystemExit(f"{data}: the run ended with {os.waitstatus_to_exitcode(status)}")
        run = Path(out) / "runs" / (Path(out) / "current").read_text().strip()
        rows = sum(source["rows"] for source in json.loads((run / "receipt.json").read_text())["sources"])
        return rows, used.ru_utime + used.ru_stime, seconds, used.ru_maxrss / 1024


def slope(points):
    """Of a line through the logarithms of pairs."""
    points = [(math.log(x), math.log(y)) for x, y in points]
    middle = [sum(column) / len(points) for column in zip(*points)]
    return sum((x - middle[0]) * (y - middle[1]) for x, y in points) / sum((x - middle[0]) ** 2 for x, _ in points)


def main():
    turns = int(sys.argv.pop()) if sys.argv[-1].isdigit() else 2
    riskstrat, folders = sys.argv[1], [Path(folder) for folder in sys.argv[2:]]
    told = {folder: [] for folder in folders}
    for _ in range(turns):
        for folder in folders:
            read_once(folder)
            told[folder].append(timed(riskstrat, folder))
    best = [[*(min(column) for column in list(zip(*runs))[:3]), max(run[3] for run in runs)] for runs in told.values()]
    print("| rows | processor s | s | processor s, a million rows | s, a million rows | memory, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for rows, processor, seconds, memory in best:
        millions = rows / 1e6
        print(f"| {rows:,} | {processor:.1f} | {seconds:.1f} | {processor / millions:.3f} | {seconds / millions:.3f} | {memory:.0f} |")
    for at, what in ((1, "processor seconds"), (2, "seconds"), (3, "memory")):
        print(f"{what}: slope {slope([(run[0], run[at]) for run in best]):.3f}")


if __name__ == "__main__":
    main()
