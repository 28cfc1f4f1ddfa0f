//! The two SQL implementations on random expressions and rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use riskstrat::expr;
use riskstrat::oracle::sql;
use riskstrat::oracle::value::{self, Kind, Value};

use crate::populations::random;

const ROWS: usize = 12;

/// Writes random expressions of each type, now and then one level deeper.
struct Writer {
    random: ChaCha8Rng,
}

impl Writer {
    fn of(&mut self, all: &[&str]) -> String {
        (*all.choose(&mut self.random).unwrap()).to_owned()
    }

    fn number(&mut self, depth: u32) -> String {
        match self.random.random_range(0..3) {
            0 => self.integer(depth),
            1 => self.decimal(depth),
            _ => self.float(depth),
        }
    }

    fn integer(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.of(&["n", "m", "0", "1", "2", "7", "365"]);
        }
        let (a, b) = (self.integer(depth - 1), self.integer(depth - 1));
        match self.random.random_range(0..12) {
            0 => format!("({a} + {b})"),
            1 => format!("({a} - {b})"),
            2 => format!("({a} * {b})"),
            3 => format!("({a} / {b})"),
            4 => format!("({a} % {b})"),
            5 => format!("CASE WHEN {} THEN {a} ELSE {b} END", self.truth(depth - 1)),
            6 => format!("coalesce({a}, {b})"),
            7 => format!("nullif({a}, {b})"),
            8 => format!("greatest({a}, {b}, 3)"),
            9 => format!("least({a}, abs({b}))"),
            10 => format!("({} - {})", self.day(depth - 1), self.day(depth - 1)),
            _ => format!("length({})", self.text(depth - 1)),
        }
    }

    fn decimal(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.of(&["x", "y"]);
        }
        let (a, b) = (self.decimal(depth - 1), self.of(&["x", "y", "n", "2", "-3"]));
        match self.random.random_range(0..7) {
            0 => format!("({a} + {b})"),
            1 => format!("({a} - {b})"),
            2 => format!("({a} * {b})"),
            3 => format!("({a} / {b})"),
            4 => format!("coalesce({a}, {b})"),
            5 => format!("CASE WHEN {} THEN {a} END", self.truth(depth - 1)),
            _ => format!("abs({a})"),
        }
    }

    fn float(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.of(&["f", "0.5", "1.25", "CAST(n AS DOUBLE)"]);
        }
        let (a, b) = (self.float(depth - 1), self.number(depth - 1));
        match self.random.random_range(0..7) {
            0 => format!("({a} + {b})"),
            1 => format!("({a} * {b})"),
            2 => format!("({a} / {b})"),
            3 => format!("coalesce({a}, 1)"),
            4 => format!("floor({a})"),
            5 => format!("sqrt(abs({a}))"),
            _ => format!("nullif({a}, 0.5)"),
        }
    }

    fn text(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.of(&["t", "u", "'ab'", "''", "'Äb c'"]);
        }
        let (a, b) = (self.text(depth - 1), self.text(depth - 1));
        match self.random.random_range(0..9) {
            0 => format!("({a} || {b})"),
            1 => format!("upper({a})"),
            2 => format!("lower(trim({a}))"),
            3 => format!("left({a}, {})", self.of(&["0", "1", "3", "-1"])),
            4 => format!("right({a}, {})", self.of(&["0", "2", "-1", "9"])),
            5 => format!("substr({a}, {})", self.of(&["1", "2", "2, 1", "1, 0", "9"])),
            6 => format!("coalesce({a}, {b})"),
            7 => format!("nullif({a}, {b})"),
            _ => format!("CASE WHEN {} THEN {a} ELSE {b} END", self.truth(depth - 1)),
        }
    }

    fn day(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.of(&["d", "e", "DATE '2024-02-29'", "make_date(2023, 3, 1)", "to_date('2025-12-31')"]);
        }
        let (a, b) = (self.day(depth - 1), self.day(depth - 1));
        match self.random.random_range(0..3) {
            0 => format!("coalesce({a}, {b})"),
            1 => format!("CASE WHEN {} THEN {a} ELSE {b} END", self.truth(depth - 1)),
            _ => format!("greatest({a}, {b})"),
        }
    }

    fn truth(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.of(&[
                "b",
                "TRUE",
                "n > 1",
                "t = 'ab'",
                "d < '2024-03-01'",
                "m IS NULL",
                "x >= 1.5",
                "n IN (1, 2)",
            ]);
        }
        let below = depth - 1;
        let comparison = self.of(&["=", "<>", "<", "<=", ">", ">="]);
        match self.random.random_range(0..14) {
            0 => format!("({} AND {})", self.truth(below), self.truth(below)),
            1 => format!("({} OR {})", self.truth(below), self.truth(below)),
            2 => format!("NOT {}", self.truth(below)),
            3 => format!("({}) {}", self.truth(below), self.of(&["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NULL"])),
            4 => format!("{} {comparison} {}", self.number(below), self.number(below)),
            5 => format!("{} {comparison} {}", self.text(below), self.text(below)),
            6 => format!("{} {comparison} {}", self.day(below), self.day(below)),
            7 => format!("{} {comparison} '2024-02-29'", self.day(below)),
            8 => format!("{} {} ({}, NULL, 3)", self.integer(below), self.of(&["IN", "NOT IN"]), self.integer(0)),
            9 => format!("{} NOT BETWEEN {} AND {}", self.integer(below), self.integer(below), self.integer(below)),
            10 => format!("{} BETWEEN {} AND {}", self.day(below), self.day(below), self.day(below)),
            11 => format!(
                "{} {} '{}'",
                self.text(below),
                self.of(&["LIKE", "NOT LIKE", "ILIKE"]),
                self.of(&["a%", "%b", "_b", "%", "A_\\%"])
            ),
            12 => format!("starts_with({}, {})", self.text(below), self.text(below)),
            _ => format!("date_part('{}', {}) {comparison} 2", self.of(&["month", "day", "quarter"]), self.day(below)),
        }
    }

    fn any(&mut self) -> String {
        let depth = self.random.random_range(1..=3);
        match self.random.random_range(0..6) {
            0 => self.integer(depth),
            1 => self.decimal(depth),
            2 => self.float(depth),
            3 => self.text(depth),
            4 => self.day(depth),
            _ => self.truth(depth),
        }
    }

    fn column<T>(&mut self, mut cell: impl FnMut(&mut ChaCha8Rng) -> T) -> Vec<Option<T>> {
        (0..ROWS).map(|_| if self.random.random_bool(0.2) { None } else { Some(cell(&mut self.random)) }).collect()
    }

    fn rows(&mut self) -> RecordBatch {
        let words = ["ab", "", "Äb c", " a%b ", "emergency", "A"];
        let whole = |random: &mut ChaCha8Rng| random.random_range(-3..9i64);
        let cents = |random: &mut ChaCha8Rng| random.random_range(-500..900i128);
        let days = |random: &mut ChaCha8Rng| random.random_range(19_700..20_500);
        let decimals = |cells: Vec<Option<i128>>, places: i8| -> ArrayRef {
            Arc::new(Decimal128Array::from(cells).with_precision_and_scale(18, places).unwrap())
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("n", Arc::new(Int64Array::from(self.column(whole)))),
            ("m", Arc::new(Int64Array::from(self.column(whole)))),
            ("t", Arc::new(StringArray::from(self.column(|random| *words.choose(random).unwrap())))),
            ("u", Arc::new(StringArray::from(self.column(|random| *words.choose(random).unwrap())))),
            ("b", Arc::new(BooleanArray::from(self.column(|random| random.random_bool(0.5))))),
            ("d", Arc::new(Date32Array::from(self.column(days)))),
            ("e", Arc::new(Date32Array::from(self.column(days)))),
            ("x", decimals(self.column(cents), 2)),
            ("y", decimals(self.column(cents), 1)),
            ("f", Arc::new(Float64Array::from(self.column(|random| f64::from(random.random_range(-8..8)) / 4.0)))),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b).is_eq() || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
        _ => a == b,
    }
}

/// Every row of an expression both ways: how many rows were compared, and the first that differs.
fn compared(sql: &str, batch: &RecordBatch) -> Result<usize, String> {
    let schema = batch.schema();
    let columns = schema.fields().iter().map(|field| (field.name().clone(), Kind::of(field.data_type())));
    let (Ok(theirs), Ok(ours)) = (expr::compile(sql, &schema), sql::compile(sql, &columns.collect::<Vec<_>>())) else {
        return Ok(0);
    };
    let kind = Kind::of(&theirs.data_type);
    if kind != ours.kind && ours.kind != Kind::Null {
        return Err(format!("{kind:?} in the engine, {:?} here", ours.kind));
    }
    let mut rows = 0;
    for row in 0..batch.num_rows() {
        let cells: Vec<Value> = batch.columns().iter().map(|column| value::of_array(column, row)).collect();
        let engine = theirs.evaluate(&batch.slice(row, 1)).ok().map(|array| value::of_array(&array, 0));
        match (engine, ours.value(&cells)) {
            (Some(engine), Ok(here)) if same(&engine, &here) => rows += 1,
            (Some(engine), Ok(here)) => return Err(format!("{engine:?} in the engine, {here:?} here, for {cells:?}")),
            // A row on which either fails (a division by zero) is compared by neither.
            _ => {}
        }
    }
    Ok(rows)
}

#[test]
fn random_expressions_have_the_same_values() {
    let mut writer = Writer { random: random(0, 50) };
    let mut rows = 0;
    let mut differences = Vec::new();
    let expressions = 100 * super::populations() as usize;
    for _ in 0..expressions {
        let (sql, batch) = (writer.any(), writer.rows());
        match compared(&sql, &batch) {
            Ok(compared) => rows += compared,
            Err(difference) => differences.push(format!("{sql}\n  {difference}")),
        }
    }
    assert!(differences.is_empty(), "{} of {expressions}:\n{}", differences.len(), differences.join("\n"));
    assert!(rows > expressions * ROWS / 2, "only {rows} rows were compared");
}
/// Known wrong in DataFusion 55.2: a `CASE` with a literal branch is taken for a constant null when it stands in a list,
/// because it is one on a batch without rows. Either the expression is refused or this test shows that it is still wrong.
#[test]
fn a_case_within_a_list_is_not_to_be_trusted() {
    let columns: [(&str, ArrayRef); 3] = [
        ("n", Arc::new(Int64Array::from(vec![2]))),
        ("m", Arc::new(Int64Array::from(vec![2]))),
        ("b", Arc::new(BooleanArray::from(vec![false]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    for sql in ["n IN (CASE WHEN b THEN 7 ELSE m END, 30, 40, 50, 60)", "2 IN (CASE WHEN b THEN 7 ELSE m END, NULL)"] {
        let refused = expr::compile(sql, &batch.schema()).is_err();
        assert!(refused || compared(sql, &batch).is_err(), "{sql} is right now: let random lists hold CASE again");
    }
}
