"""From two exports of `riskstrat train --matrix` to the matrix that `compare.py` reads: `exported.py LEARNT.csv JUDGED.csv OUT.parquet`.

All rows of the first are learnt from and all of the second are held out. An input that only one of them has, since a text's value is
an input where enough rows have it, is left out.
"""

import sys

import pandas as pd

learnt, judged, out = sys.argv[1:4]
tables = [pd.read_csv(file).assign(held_out=held) for file, held in [(learnt, False), (judged, True)]]
both = pd.concat(tables, join="inner", ignore_index=True).drop(columns=["part", "fold", "weight"])
for name in both.columns.difference(["held_out"]):
    both[name] = both[name].astype("bool" if name == "outcome" else "float64")
both.to_parquet(out, index=False)
