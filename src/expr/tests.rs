use arrow::array::{Date32Array, Int64Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::TimeUnit;

use super::*;

fn schema() -> Schema {
    let list = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    Schema::new(vec![
        Field::new("date", DataType::Date32, true),
        Field::new("end", DataType::Date32, true),
        Field::new("method", DataType::Utf8, true),
        Field::new("length_days", DataType::Int64, true),
        Field::new("cost", DataType::Decimal128(18, 4), true),
        Field::new("seen", DataType::Boolean, true),
        Field::new("arrived", DataType::Timestamp(TimeUnit::Second, None), true),
        Field::new("diagnoses", list, true),
        Field::new("DISDATE", DataType::Utf8, true),
    ])
}

fn batch() -> RecordBatch {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("I50"), Some("E11")]);
    lists.append_null();
    lists.append_value([Some("J44")]);
    RecordBatch::try_from_iter([
        ("diagnoses", Arc::new(lists.finish()) as ArrayRef),
        ("unused", Arc::new(Int64Array::from(vec![0, 0, 0]))),
        ("method", Arc::new(StringArray::from(vec![Some("emergency"), None, Some("elective")]))),
        ("date", Arc::new(Date32Array::from(vec![Some(20_089), Some(20_088), None]))),
        ("length_days", Arc::new(Int64Array::from(vec![Some(2), Some(0), None]))),
    ])
    .unwrap()
}

#[test]
fn a_predicate_holds_where_it_is_true_and_null_is_not() {
    let cases = [
        ("method = 'emergency'", [true, false, false]),
        ("method <> 'emergency'", [false, false, true]),
        ("method in ('emergency', 'elective')", [true, false, true]),
        ("method is null", [false, true, false]),
        ("date >= '2025-01-01'", [true, false, false]),
        ("date >= date '2024-12-31' and length_days > 1", [true, false, false]),
        ("array_has(diagnoses, 'E11')", [true, false, false]),
        ("array_has_any(diagnoses, ['E11', 'J44'])", [true, false, true]),
        ("coalesce(length_days, 99) between 1 and 99", [true, false, true]),
        ("case when length_days > 1 then true else false end", [true, false, false]),
        ("starts_with(upper(method), 'E')", [true, false, true]),
        ("regexp_like(method, '^e[lm]e')", [true, false, true]),
        ("extract(year from date) = 2025", [true, false, false]),
        ("true", [true, true, true]),
    ];
    for (sql, expected) in cases {
        let compiled = compile(sql, &schema()).unwrap_or_else(|problem| panic!("{sql}: {problem:?}"));
        assert_eq!(compiled.data_type, DataType::Boolean, "{sql}");
        assert_eq!(compiled.mask(&batch()).unwrap(), BooleanArray::from(expected.to_vec()), "{sql}");
    }
}

#[test]
fn an_expression_has_the_type_of_its_parts() {
    let cases = [
        ("end is null or end > date", DataType::Boolean, vec!["date", "end"]),
        ("date + interval '30 days' > end", DataType::Boolean, vec!["date", "end"]),
        ("length_days + 1", DataType::Int64, vec!["length_days"]),
        ("length_days / 2.0", DataType::Float64, vec!["length_days"]),
        ("\"end\" - date", DataType::Int64, vec!["date", "end"]),
        ("length_days + length_days * 2", DataType::Int64, vec!["length_days"]),
        ("try_cast(\"DISDATE\" as date)", DataType::Date32, vec!["DISDATE"]),
    ];
    for (sql, data_type, columns) in cases {
        let compiled = compile(sql, &schema()).unwrap_or_else(|problem| panic!("{sql}: {problem:?}"));
        assert_eq!(
            (compiled.data_type, compiled.columns),
            (data_type, columns.into_iter().map(String::from).collect()),
            "{sql}"
        );
    }
}

#[test]
fn a_wrong_word_is_named_with_its_place() {
    let cases = [
        ("metod = 'x'", "metod", "there is no column `metod`", Some("did you mean `method`?")),
        ("seen and\n  METOD = 'é'", "METOD", "there is no column `metod`", Some("did you mean `method`?")),
        ("'é' = disdate", "disdate", "there is no column `disdate`", Some("write \"DISDATE\" in double quotes")),
        ("method = \"emergency\"", "\"emergency\"", "there is no column `emergency`", None),
        ("lowwer(method) = 'x'", "lowwer", "the function `lowwer` is not allowed", Some("did you mean `lower`?")),
        ("method = 'x' oder seen", "oder", "`oder` does not belong to the expression", None),
        ("method = ", "", "this SQL cannot be read: expected an expression, found: EOF", None),
    ];
    for (sql, word, message, help) in cases {
        let problem = compile(sql, &schema()).expect_err(sql);
        assert_eq!(problem.message, message, "{sql}");
        assert_eq!(sql.get(problem.at.clone()).unwrap_or_default(), word, "{sql} {:?}", problem.at);
        if help.is_some() {
            assert_eq!(problem.help.as_deref(), help, "{sql}");
        }
    }
}

#[test]
fn types_that_do_not_fit_are_refused() {
    let refused = [
        "date >= '2025-02-30'",
        "date > 'yesterday'",
        "date > 5",
        "method = 21",
        "method in (21, 22)",
        "length_days = '3'",
        "date between 1 and 2",
        "not length_days",
        "method + 1",
        "seen > method",
        "array_has(method, 'x')",
        "length_days like 'x'",
        "length_days and seen",
        "abs(method)",
        "lower(method, method)",
        "diagnoses > 3",
    ];
    for sql in refused {
        assert!(compile(sql, &schema()).is_err(), "{sql}");
    }
}

#[test]
fn only_expressions_of_one_row_are_allowed() {
    let deep = format!("{}seen{}", "(".repeat(10_000), ")".repeat(10_000));
    let nested = format!("{}seen{}", "(".repeat(70), ")".repeat(70));
    let not = format!("{} seen", "not ".repeat(900));
    let chain = vec!["seen"; 400].join(" or ");
    let long = format!("method = '{}'", "x".repeat(5000));
    let refused = [
        "COPY x TO 'y'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "SET a = 1",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT 1",
        "(SELECT 1)",
        "seen; DROP TABLE people",
        "seen -- and\n; select",
        "exists (select 1)",
        "method in (select name from people)",
        "length_days > (select max(x) from t)",
        "count(*) > 1",
        "sum(length_days) > 1",
        "max(length_days) > 1",
        "row_number() over () > 1",
        "lower(method) over (order by date) = 'x'",
        "length_days > $1",
        "length_days > ?",
        "@@version = 'x'",
        "@x = 1",
        "now() > date",
        "current_date > date",
        "random() > 0.5",
        "uuid() = method",
        "repeat('x', 1000000000) = method",
        "rpad('x', 1000000000) = method",
        "lpad(method, 9) = ''",
        "regexp_replace(method, 'a', 'b') = ''",
        "regexp_like(method, '((((a{100}){100}){100}){100})')",
        "regexp_like(method, method)",
        "method ~ '((a{100}){100})'",
        "method similar to 'x'",
        "method.x = 1",
        "people.method = 'x'",
        "*",
        "method = any(['x'])",
        "unnest(diagnoses) = 'x'",
        "arrow_cast(method, 'Binary') = 'x'",
        "cast(method as bytea) = 'x'",
        "version() = 'x'",
        "x'00' = method",
        "method collate \"C\" = 'x'",
        "{'a': 1} = 1",
        "struct(1) = 1",
        "method at time zone 'UTC' = date",
        "diagnoses[1] = 'x'",
        "concat(distinct method) = 'x'",
        "",
        "  ",
        "lower(method) filter (where seen) = 'x'",
        deep.as_str(),
        nested.as_str(),
        not.as_str(),
        chain.as_str(),
        long.as_str(),
    ];
    for sql in refused {
        let problem = compile(sql, &schema()).map(|compiled| compiled.data_type);
        assert!(problem.is_err(), "{}", sql.get(..60).unwrap_or(sql));
    }
}

#[test]
fn the_settings_that_give_right_rows_hold() {
    let options = session().config_options();
    assert!(!options.optimizer.enable_dynamic_filter_pushdown);
    assert!(!options.optimizer.enable_join_dynamic_filter_pushdown);
    assert!(!options.optimizer.enable_topk_dynamic_filter_pushdown);
    assert!(!options.optimizer.enable_aggregate_dynamic_filter_pushdown);
    assert!(options.optimizer.prefer_hash_join);
    assert!(!options.catalog.information_schema);
}

#[test]
fn a_batch_of_another_type_is_a_fault_of_ours() {
    let compiled = compile("method = 'x'", &schema()).unwrap();
    let other = RecordBatch::try_from_iter([("method", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
    assert!(matches!(compiled.mask(&other), Err(Error::Fault(_))));
    assert!(matches!(compiled.mask(&batch().project(&[0]).unwrap()), Err(Error::Fault(_))));
}

#[test]
fn a_name_that_is_a_word_of_sql_is_not_plain() {
    for (name, plain) in
        [("admissions_12m", true), ("end", true), ("true", false), ("null", false), ("Age", false), ("a b", false)]
    {
        assert_eq!(is_plain_name(name), plain, "{name}");
    }
}
