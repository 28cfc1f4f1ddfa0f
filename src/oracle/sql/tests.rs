//! Expressions against a table of hand-worked results.

use jiff::civil::date;

use super::*;

fn columns() -> Vec<(String, Kind)> {
    [
        ("n", Kind::Int),
        ("null_n", Kind::Int),
        ("t", Kind::Text),
        ("null_t", Kind::Text),
        ("yes", Kind::Bool),
        ("null_b", Kind::Bool),
        ("d", Kind::Date),
        ("cost", Kind::Decimal(2)),
        ("Mixed Name", Kind::Text),
    ]
    .map(|(name, kind)| (name.to_owned(), kind))
    .to_vec()
}

fn row() -> Vec<Value> {
    vec![
        Value::Int(7),
        Value::Null,
        Value::text("emergency"),
        Value::Null,
        Value::Bool(true),
        Value::Null,
        Value::Date(date(2024, 2, 29)),
        Value::Decimal(1250, 2),
        Value::text("x"),
    ]
}

fn eval(sql: &str) -> Result<Value, NoValue> {
    compile(sql, &columns())?.value(&row())
}

#[test]
fn logic_has_three_values() {
    let truth = |name: &str| match name {
        "t" => ("TRUE", Value::Bool(true)),
        "f" => ("FALSE", Value::Bool(false)),
        _ => ("null_b", Value::Null),
    };
    let and = ["ttt", "tff", "tnn", "ftf", "fff", "fnf", "ntn", "nff", "nnn"];
    let or = ["ttt", "tft", "tnt", "ftt", "fff", "fnn", "ntt", "nfn", "nnn"];
    for (operator, cases) in [("AND", and), ("OR", or)] {
        for case in cases {
            let [left, right, result] = [0, 1, 2].map(|at| truth(case.get(at..=at).unwrap_or("")));
            assert_eq!(eval(&format!("{} {operator} {}", left.0, right.0)), Ok(result.1), "{operator} {case}");
        }
    }
    for (sql, wanted) in [("NOT TRUE", Value::Bool(false)), ("NOT null_b", Value::Null)] {
        assert_eq!(eval(sql), Ok(wanted), "{sql}");
    }
}

#[test]
fn nulls_are_unknown_in_comparisons_and_lists() {
    for sql in [
        "null_n = 1",
        "null_n <> null_n",
        "n IN (1, NULL)",
        "n NOT IN (1, NULL)",
        "null_t LIKE 'a%'",
        "null_n BETWEEN 1 AND 2",
        "null_t || 'a'",
        "null_n + 1",
        "nullif(n, 7)",
    ] {
        assert_eq!(eval(sql), Ok(Value::Null), "{sql}");
    }
    for sql in [
        "n IN (7, NULL)",
        "null_n IS NULL",
        "null_b IS NOT TRUE",
        "null_n IS NOT DISTINCT FROM NULL",
        "n IS DISTINCT FROM NULL",
        "coalesce(null_n, n) = 7",
        "least(null_n, n, 9) = 7",
        "CASE WHEN null_b THEN FALSE ELSE TRUE END",
    ] {
        assert_eq!(eval(sql), Ok(Value::Bool(true)), "{sql}");
    }
}

#[test]
fn values_are_what_the_types_say() {
    let cases = [
        ("n / 2", Value::Int(3)),
        ("-n / 2", Value::Int(-3)),
        ("n % 4", Value::Int(3)),
        ("n / 2.0", Value::Float(3.5)),
        ("coalesce(n, 0.5) / 2", Value::Float(3.5)),
        ("cost + 1", Value::Decimal(1350, 2)),
        ("cost * cost", Value::Decimal(1_562_500, 4)),
        ("cost / 3", Value::Decimal(4_166_666, 6)),
        ("cost > 12.4", Value::Bool(true)),
        ("cost = 12.5", Value::Bool(true)),
        ("d - DATE '2024-02-01'", Value::Int(28)),
        ("d >= '2024-02-29'", Value::Bool(true)),
        ("date_part('year', d)", Value::Int(2024)),
        ("EXTRACT(MONTH FROM d)", Value::Int(2)),
        ("make_date(2023, 3, 1)", Value::Date(date(2023, 3, 1))),
        ("to_date('2023-03-01')", Value::Date(date(2023, 3, 1))),
        ("upper(left(t, 3)) || '-' || substr(t, 2, 2)", Value::text("EME-me")),
        ("t LIKE 'em_rg%' AND t NOT LIKE 'merg%'", Value::Bool(true)),
        ("t ILIKE 'EM%'", Value::Bool(true)),
        ("length(trim(' ab '))", Value::Int(2)),
        ("starts_with(t, 'emer')", Value::Bool(true)),
        ("CAST('12' AS BIGINT) + n", Value::Int(19)),
        ("CASE t WHEN 'emergency' THEN 1 WHEN 'elective' THEN 2 END", Value::Int(1)),
        ("\"Mixed Name\" = 'x'", Value::Bool(true)),
        ("N = 7", Value::Bool(true)),
        ("TRY_CAST(t AS BIGINT)", Value::Null),
    ];
    for (sql, wanted) in cases {
        assert_eq!(eval(sql), Ok(wanted), "{sql}");
    }
}

#[test]
fn what_fails_by_the_rules_is_told_from_what_is_not_known() {
    for sql in [
        "n / 0",
        "n % 0",
        "cost / 0",
        "CAST(t AS BIGINT)",
        "CAST(t AS DATE)",
        "make_date(2023, 2, 29)",
        "coalesce(null_n, 1 / (n - 7))",
        "yes AND n / 0 = 1",
    ] {
        assert_eq!(eval(sql), Err(NoValue::Fails), "{sql}");
    }
    for sql in ["coalesce(n, n / 0) = 7", "NOT yes IS FALSE OR n / 0 = 1", "CASE WHEN yes THEN TRUE ELSE n / 0 = 1 END"]
    {
        assert_eq!(eval(sql), Ok(Value::Bool(true)), "{sql}");
    }
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    for sql in [
        "regexp_like(t, 'a')",
        "n & 1",
        "array_length(t)",
        "missing = 1",
        "mixed_name = 1",
        "t + 1",
        "SELECT 1",
        "n = 1; DROP",
        "sum(n) OVER ()",
        "n IN (SELECT 1)",
    ] {
        assert!(eval(sql).is_err(), "{sql}");
    }
}
