"""The whole job beside its peers, in turn: `job.py RISKSTRAT FLOOR DATA YARDSTICK [turns] [name,name...]`.

RISKSTRAT and FLOOR are built programs (the second is `benches/floor.rs`), DATA what the yardstick's generator wrote, YARDSTICK the
folder with `duckdb_job.py` and `polars_job.py`. Each turn runs every program once, as a process of its own with two threads, so that
whatever else the machine does meets all of them. Printed are medians over the turns: processor seconds (user and system, of all
threads), seconds, the most memory of the process, and processor seconds beside the first peer's and beside the floor. Then ours is
compared with what the first peer made, column by column.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
YARDSTICK_RUN = HERE.parent / "yardstick" / "run.toml"


def timed(command):
    """Runs a program to its end: processor seconds, seconds, megabytes."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} ended with {status}")
    return used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1024


def main():
    riskstrat, floor, data, yardstick = sys.argv[1:5]
    turns = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        peer = lambda script: [sys.executable, f"{yardstick}/{script}", data, f"{folder}/{script}", "--features"]
        programs = {
            "riskstrat": [riskstrat, "run", YARDSTICK_RUN, "--deliveries", data, "--out", out, "--partitions", "2"],
            "decoding alone": [floor, YARDSTICK_RUN, data, "2"],
            "DuckDB": [*peer("duckdb_job.py"), "--tmp", f"{folder}/spill"],
            "Polars": peer("polars_job.py"),
        }
        wanted = sys.argv[6].split(",") if len(sys.argv) > 6 else list(programs)
        programs = {name: command for name, command in programs.items() if name in wanted}
        os.environ |= {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"}
        told = {name: [] for name in programs}
        for _ in range(turns):
            for name, command in programs.items():
                if name == "riskstrat":
                    shutil.rmtree(out, ignore_errors=True)
                told[name].append(timed(command))
        medians = {name: [median(column) for column in zip(*runs)] for name, runs in told.items()}
        beside = lambda name, other: f"{medians[name][0] / medians[other][0]:.2f}" if other in medians else ""
        print("| | processor s | s | memory, MB | processor s beside DuckDB | beside decoding alone |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name, (processor, seconds, memory) in medians.items():
            print(f"| {name} | {processor:.1f} | {seconds:.1f} | {memory:.0f} | {beside(name, 'DuckDB')} | {beside(name, 'decoding alone')} |")
        if {"riskstrat", "DuckDB"} <= set(programs):
            run = out / "runs" / (out / "current").read_text().strip()
            compare = [sys.executable, HERE.parent / "yardstick" / "compare.py", run, f"{folder}/duckdb_job.py", yardstick]
            sys.exit(subprocess.run(compare).returncode)


if __name__ == "__main__":
    main()
