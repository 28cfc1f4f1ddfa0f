"""One fit of a peer: `fit.py FILE.parquet scikit-learn|scikit-learn-to-the-end|lightgbm OUT [threads] [trees leaves]`.

What `benches/train.rs` does with ours: writes OUT.risks and OUT.csv, and prints seconds as a line of JSON. The time is that of the
fit alone; filling, indicators and scaling are given to scikit-learn for nothing.
"""

import json
import os
import sys
import time

file, learner, out = sys.argv[1:4]
threads, trees, leaves = sys.argv[4:7] + ["2", "200", "31"][len(sys.argv) - 4 :]
for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]:
    os.environ[name] = threads
# Waiting is not counted as work.
os.environ["OMP_WAIT_POLICY"] = "passive"

import numpy as np
import pyarrow.parquet as pq


def read(file):
    """Inputs row by row with NaN where missing, the outcome, and who is held out: a column at a time, nothing twice."""
    parquet = pq.ParquetFile(file)
    column = lambda name: parquet.read([name]).column(0).to_numpy()
    names = [name for name in parquet.schema_arrow.names if name not in ("outcome", "held_out")]
    order = "F" if learner == "lightgbm" else "C"
    inputs = np.empty((parquet.metadata.num_rows, len(names)), order=order)
    for at, name in enumerate(names):
        inputs[:, at] = column(name)
    return names, inputs, column("outcome"), column("held_out")


def designed(inputs, learnt):
    """As ours: a mean in place of what is missing, an indicator beside it, and all standardised over those learnt from."""
    holes = [at for at in range(inputs.shape[1]) if np.isnan(inputs[:, at]).any()]
    design = np.empty((len(inputs), inputs.shape[1] + len(holes)))
    design[:, : inputs.shape[1]] = inputs
    for number, at in enumerate(holes):
        missing = np.isnan(inputs[:, at])
        design[missing, at] = np.nanmean(inputs[learnt, at])
        design[:, inputs.shape[1] + number] = missing
    for at in range(design.shape[1]):
        values = design[learnt, at]
        design[:, at] -= values.mean()
        design[:, at] /= values.std()
    return design


def timed(fit):
    """What it returns, and the seconds and the processor seconds of all threads that it took."""
    start, processor = time.perf_counter(), time.process_time()
    fitted = fit()
    return fitted, {"fit_seconds": time.perf_counter() - start, "fit_processor_seconds": time.process_time() - processor}


def logistic(inputs, outcome, learnt):
    from sklearn.linear_model import LogisticRegression

    design = designed(inputs, learnt)
    settings = {"tol": 1e-8, "max_iter": 5000} if learner.endswith("to-the-end") else {}
    model = LogisticRegression(C=1.0, **settings)
    x, y = design[learnt], outcome[learnt]
    # The design is not needed twice while it is learnt from.
    del inputs
    _, spent = timed(lambda: model.fit(x, y))
    risks = model.predict_proba(design)[:, 1]
    penalty = 0.5 * float((model.coef_**2).sum())
    return risks, spent | {"penalty": penalty, "notes": [f"{int(model.n_iter_[0])} iterations"]}


def lightgbm(inputs, outcome, learnt):
    import lightgbm

    settings = dict(objective="binary", num_leaves=int(leaves), learning_rate=0.1, max_bin=255, min_data_in_leaf=10,
                    min_sum_hessian_in_leaf=0.0, lambda_l2=1.0, num_threads=int(threads), verbose=-1,
                    enable_bundle=True, force_col_wise=True)
    x, y = inputs[learnt], outcome[learnt]
    data = lightgbm.Dataset(x, y, free_raw_data=True)
    booster, spent = timed(lambda: lightgbm.train(settings, data, num_boost_round=int(trees)))
    return booster.predict(inputs), spent | {"notes": [f"{booster.num_trees()} trees"]}


names, inputs, outcome, held_out = read(file)
risks, told = (lightgbm if learner == "lightgbm" else logistic)(inputs, outcome, ~held_out)
risks.astype("<f8").tofile(f"{out}.risks")
print(json.dumps(told))
