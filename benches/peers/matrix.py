"""Invents the matrix that every learner of the comparison reads: `matrix.py FILE.parquet [rows] [seed]`.

150 inputs, all float64, null where missing, and the columns `outcome` (true or false) and `held_out` (one row in five). Shapes are
those of linked care records: a latent frailty stands behind age, conditions, medicines and use, so that inputs are correlated; windows
are nested in longer ones; counts are mostly 0 with a long tail; results of tests are missing for most, and less often for the ill. The
outcome has thresholds and an interaction in it, so that trees have something to find, and is true of about 8 in 100.
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def columns(rows, seed):
    """Name and values of each input, one at a time, and the outcome last."""
    dice = np.random.default_rng(seed)
    age = np.floor(np.clip(dice.gamma(9.0, 5.6, rows), 18, 104))
    frailty = np.clip((age - 50) / 20 + dice.normal(0, 1, rows), -2, 5)
    female = (dice.random(rows) < 0.51).astype(float)
    deprivation = dice.integers(1, 11, rows).astype(float)
    risk = -3.05 + 0.35 * frailty + 0.02 * np.maximum(age - 75, 0) - 0.03 * deprivation
    yield "age_years", age
    yield "female", female
    yield "deprivation_decile", deprivation
    conditions = np.zeros(rows)
    for number in range(45):
        base = np.linspace(-2.5, -5.5, 45)[number]
        has = dice.random(rows) < 1 / (1 + np.exp(-(base + dice.uniform(0.2, 1.0) * frailty)))
        conditions += has
        risk += dice.uniform(-0.05, 0.35) * has
        yield f"condition_{number:02}", has.astype(float)
    risk += 0.25 * ((conditions >= 4) & (age >= 80))
    yield "conditions_count", conditions
    for number in range(12):
        rate = np.exp(np.linspace(-3.0, 0.5, 12)[number] + 0.45 * frailty + 0.05 * conditions + dice.normal(0, 0.6, rows))
        within_90_days = dice.poisson(0.25 * rate)
        within_year = within_90_days + dice.poisson(0.75 * rate)
        within_3_years = within_year + dice.poisson(1.6 * rate)
        risk += 0.12 * np.minimum(within_year, 6) * (number < 4) + 0.3 * (within_90_days > 0) * (number < 2)
        yield f"use_{number:02}_90d", within_90_days.astype(float)
        yield f"use_{number:02}_12m", within_year.astype(float)
        yield f"use_{number:02}_3y", within_3_years.astype(float)
        if number < 8:
            since = np.where(within_3_years > 0, np.floor(dice.exponential(400 / (1 + rate))), np.nan)
            yield f"use_{number:02}_days_since", since
    for number in range(12):
        value = np.round(dice.normal(10 + number, 2 + 0.2 * number, rows) + dice.uniform(-1, 1) * frailty, 1)
        risk += 0.15 * (value > 14 + number)
        missing = dice.random(rows) < 1 / (1 + np.exp(0.3 * frailty - dice.uniform(-0.5, 1.5)))
        yield f"test_{number:02}", np.where(missing, np.nan, value)
    for number in range(15):
        rate = np.exp(-2.2 + 0.1 * number + 0.4 * frailty)
        items = dice.poisson(rate).astype(float)
        risk += 0.04 * items * (number % 3 == 0)
        yield f"medicine_{number:02}_items", items
    group = dice.choice(16, rows, p=np.array([60, 4, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2]) / 100)
    for number in range(1, 16):
        yield f"group_{number:02}", (group == number).astype(float)
    for number in range(15):
        spent = np.round(dice.lognormal(4 + 0.3 * np.maximum(frailty, 0), 1.0), 2)
        yield f"spent_{number:02}", np.where(dice.random(rows) < 0.5, 0.0, spent)
    yield "outcome", dice.random(rows) < 1 / (1 + np.exp(-risk))


def main():
    file = sys.argv[1]
    rows, seed = (int(text) for text in (sys.argv[2:4] + ["1000000", "20261126"][len(sys.argv) - 2 :]))
    table = {name: pa.array(values, from_pandas=True) for name, values in columns(rows, seed)}
    table["held_out"] = pa.array(np.arange(rows) % 5 == 4)
    pq.write_table(pa.table(table), file)
    share = np.asarray(table["outcome"]).mean()
    print(f"{rows} rows, {len(table) - 2} inputs, outcome {share:.4f}, seed {seed}", file=sys.stderr)


if __name__ == "__main__":
    main()
