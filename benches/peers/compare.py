"""Ours and a peer in turn on one matrix, and a table of both: `compare.py FILE.parquet OURS_PROGRAM logistic|trees [turns] [threads] [trees leaves]`.

OURS_PROGRAM is the built `benches/train.rs`. Each turn runs every program once, as a process of its own, so that whatever else the
machine does meets all of them. Figures are medians over the turns: seconds and processor seconds (of all threads) of the fit alone
and of the whole process, reading included, and the most memory of the process. On a machine that does other work only the processor
seconds can be compared, best with one thread. Area under the curve and calibration slope are those of the rows held out. The objective
is what a logistic fit minimises, the log loss over the rows learnt from and the penalty, by row.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

PEERS = {"logistic": ["scikit-learn", "scikit-learn-to-the-end"], "trees": ["lightgbm"]}


def timed(command, out):
    """Runs a program; what it printed, and what the whole process took."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    told = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} ended with {status}")
    told |= {"process_seconds": time.perf_counter() - start, "processor_seconds": used.ru_utime + used.ru_stime,
             "mb": used.ru_maxrss / 1024, "risks": np.fromfile(f"{out}.risks", "<f8")}
    return told


def penalty(file, table, learnt):
    """Half the sum of squares of our coefficients on standardised inputs, from the model's own table."""
    import pandas as pd

    parquet, total = pq.ParquetFile(file), 0.0
    for term in pd.read_csv(table, keep_default_na=False).itertuples():
        values = parquet.read([term.feature]).column(0).to_numpy()[learnt]
        if term.transform == "is_missing":
            values = np.isnan(values).astype(float)
        elif term.missing != "":
            values = np.where(np.isnan(values), float(term.missing), values)
        total += 0.5 * (float(term.coefficient) * values.std()) ** 2
    return total


def slope(risk, outcome):
    """Of a logistic regression of the outcome on the log odds of the risk."""
    odds = np.log(risk / (1 - risk)).reshape(-1, 1)
    return LogisticRegression(C=np.inf, tol=1e-8).fit(odds, outcome).coef_[0, 0]


def main():
    file, ours, learner = sys.argv[1:4]
    turns = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    settings = sys.argv[5:] or ["2"]
    table = pq.read_table(file, columns=["outcome", "held_out"]).to_pandas()
    outcome, held = table["outcome"].to_numpy(), table["held_out"].to_numpy()
    fit = Path(__file__).with_name("fit.py")
    told = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(turns):
            for name in ["riskstrat", *PEERS[learner]]:
                out = f"{folder}/{name}"
                command = [ours, file, learner] if name == "riskstrat" else [sys.executable, str(fit), file, name]
                told.setdefault(name, []).append(timed([*command, out, *settings], out))
        if learner == "logistic":
            for turn in told["riskstrat"]:
                turn["penalty"] = penalty(file, f"{folder}/riskstrat.csv", ~held)
    print("| | fit, s | fit, processor s | process, s | process, processor s | memory, MB | AUROC held out | slope | log loss | objective |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, runs in told.items():
        of = lambda key: median(run[key] for run in runs)
        risk = runs[0]["risks"]
        event = np.where(outcome, risk, 1 - risk)[~held]
        loss = -np.log(event).sum()
        objective = (loss + runs[0].get("penalty", 0.0)) / (~held).sum()
        print(f"| {name} | {of('fit_seconds'):.1f} | {of('fit_processor_seconds'):.1f} | {of('process_seconds'):.1f} | {of('processor_seconds'):.1f} | {of('mb'):.0f} "
              f"| {roc_auc_score(outcome[held], risk[held]):.5f} | {slope(risk[held], outcome[held]):.3f} | {loss / (~held).sum():.6f} | {objective:.9f} |")
    for name, runs in told.items():
        print(f"{name}: {' '.join(runs[0]['notes'])}", file=sys.stderr)


if __name__ == "__main__":
    main()
