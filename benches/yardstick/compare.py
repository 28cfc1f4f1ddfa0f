"""compare.py RUN PEER YARDSTICK: the features and the score of a published run against a peer's, by the yardstick's own comparison.

RUN is a run folder, PEER what a peer's job wrote with --features, YARDSTICK the folder with compare_features.py. The score
is put beside the features, since the comparison reads one table.
"""
import subprocess
import sys
import tempfile

import pyarrow.parquet as pq

run, peer, yardstick = sys.argv[1:4]
features = pq.read_table(f"{run}/person/features.parquet")
scores = pq.read_table(f"{run}/person/scores.parquet")
assert features["person"].equals(scores["person"]), "features and scores are of the same people, in the same order"
table = features.append_column("yardstick_risk", scores["yardstick_risk"])
with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
    pq.write_table(table, file.name)
    command = [sys.executable, f"{yardstick}/compare_features.py", peer, file.name, "--score", "yardstick_risk"]
    sys.exit(subprocess.run(command).returncode)
