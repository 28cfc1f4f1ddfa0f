//! Headers and emptiness: A3, A6, A13.

use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array};
use riskstrat::source;

use super::{Deliveries, GP_EVENTS, assert_says, gzip, parquet, texts};

#[test]
fn a_renamed_column_is_missed_by_name() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DT,SNOMED\nCANARY7Q,d,c\n");
    let error = deliveries.refused();
    assert_eq!(error.exit_code(), 1);
    let text = "source gp_events, file gp/a.csv: column EVENT_DATE is missing; did you mean \"EVENT_DT\"?";
    assert_eq!(error.to_string(), text);
}

#[test]
fn every_problem_of_every_file_is_told() {
    let other = GP_EVENTS.replace("\"gp\"", "\"admissions.csv\"");
    let deliveries = Deliveries::new(&[
        ("gp_events", GP_EVENTS),
        ("admissions", &other),
        ("absent", &other.replace("admissions", "x")),
    ]);
    for n in 0..30 {
        deliveries.write(&format!("gp/{n}.csv"), format!("pseudo_id,EVENT_DATE,{n}\np,d,c\n"));
    }
    deliveries.write("admissions.csv", "PSEUDO_ID,EVENT_DATE,SNOMED,SNOMED\np,d,c,c\n");
    let error = deliveries.refused().to_string();
    assert_eq!(error.lines().count(), 51);
    assert!(error.ends_with("and 12 more problems"), "{error}");
    assert!(error.contains("column PSEUDO_ID is missing; did you mean \"pseudo_id\"?"));
}

#[test]
fn repeated_columns_are_refused() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED,SNOMED\np,d,c,c\n");
    assert_says(&deliveries.refused(), &["column SNOMED is there twice (columns 3, 4)"]);
    // Without a header the first row stands in its place, and must not be quoted.
    deliveries.write("gp/a.csv", "CANARY7Q,2020-01-01,CANARY7Q\nCANARY7Q,d,c\n");
    assert_says(&deliveries.refused(), &["two columns have one name (columns 1, 3)"]);
}

#[test]
fn surplus_columns_are_listed_unless_ignored() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED,Z,EXTRACT_ID\np,d,c,z,e\n");
    deliveries.write("gp/b.csv", "PSEUDO_ID,EVENT_DATE,SNOMED,A,Z\np,d,c,a,z\n");
    assert_eq!(deliveries.find().unwrap().sources[0].unused_columns, ["A", "Z"]);
}

#[test]
fn an_optional_column_may_be_absent() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED\np,d,c\n");
    assert_eq!(deliveries.read().unwrap().cells(), [["p", "d", "c", "null"]]);
    let columns = [("PSEUDO_ID", texts(&["p"])), ("EVENT_DATE", texts(&["d"])), ("SNOMED", texts(&["c"]))];
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.parquet", parquet(columns.to_vec()));
    assert_eq!(deliveries.read().unwrap().cells(), [["p", "d", "c", "null"]]);
}

fn write_all(deliveries: &Deliveries, files: &[(&str, &[u8])]) {
    for (name, content) in files {
        deliveries.write(name, content);
    }
}

#[test]
fn emptiness_is_never_an_empty_list() {
    let header = "PSEUDO_ID,EVENT_DATE,SNOMED\n";
    let empty = parquet(vec![("PSEUDO_ID", texts(&[])), ("EVENT_DATE", texts(&[])), ("SNOMED", texts(&[]))]);
    let cases: [&[(&str, &[u8])]; 7] = [
        &[("gp/a.csv", b"")],
        &[("gp/a.csv", header.as_bytes())],
        &[("gp/a.csv", b"PSEUDO_ID,EVENT_DATE,SNOMED"), ("gp/b.csv", header.as_bytes())],
        &[("gp/a.csv", b"\n\r\n\n")],
        &[("gp/a.csv.gz", &gzip(b""))],
        &[("gp/a.parquet", b"")],
        &[("gp/a.parquet", &empty)],
    ];
    for files in cases {
        let deliveries = Deliveries::gp();
        write_all(&deliveries, files);
        let error = deliveries.refused();
        assert_eq!(error.exit_code(), 3, "{error}");
        assert_says(&error, &["source gp_events is empty"]);
        let deliveries = Deliveries::gp_with("\"files\"", "\"may_be_empty\": true, \"files\"");
        write_all(&deliveries, files);
        assert_eq!(deliveries.read().unwrap().rows, []);
    }
}

#[test]
fn nothing_delivered_is_not_ready() {
    let error = Deliveries::gp().refused();
    assert_eq!(error.exit_code(), 3);
    assert_says(&error, &["gp_events", "nothing is delivered as \"gp\""]);
    let deliveries = Deliveries::gp_with("\"gp\"", "[\"gp/*.csv\", \"gp/x.parquet\"]");
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED\np,d,c\n");
    assert_says(&deliveries.refused(), &["nothing is delivered as \"gp/x.parquet\""]);
}

#[test]
fn one_hollow_file_among_full_ones_is_refused() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED\np,d,c\n").write("gp/b.csv", "");
    assert_says(&deliveries.refused(), &["gp/b.csv", "holds nothing"]);
}

#[test]
fn types_must_agree_between_files() {
    let columns = |date| vec![("PSEUDO_ID", texts(&["p"])), ("EVENT_DATE", date), ("SNOMED", texts(&["c"]))];
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.parquet", parquet(columns(texts(&["d"]))));
    deliveries.write("gp/b.parquet", parquet(columns(Arc::new(Int64Array::from(vec![1])))));
    let error = deliveries.refused();
    assert_says(&error, &["column EVENT_DATE is", "gp/a.parquet", "gp/b.parquet", "Int64", "Utf8"]);
}

#[test]
fn codes_are_no_floating_point_numbers() {
    let deliveries = Deliveries::gp();
    let codes = Arc::new(Float64Array::from(vec![9_007_199_254_740_992.0]));
    let columns = vec![("PSEUDO_ID", texts(&["p"])), ("EVENT_DATE", texts(&["d"])), ("SNOMED", codes as _)];
    deliveries.write("gp/a.parquet", parquet(columns));
    assert_says(&deliveries.refused(), &["column SNOMED holds codes as floating-point numbers"]);
}

/// Numbers where a token, a key or the key of a lookup should be.
#[test]
fn tokens_and_keys_are_no_floating_point_numbers() {
    let number = || Arc::new(Float64Array::from(vec![9_007_199_254_740_992.0])) as arrow::array::ArrayRef;
    let columns = |odd: &str| {
        ["PSEUDO_ID", "EVENT_DATE", "SNOMED", "NOTE"]
            .map(|name| (name, if name == odd { number() } else { texts(&["x"]) }))
            .to_vec()
    };
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.parquet", parquet(columns("PSEUDO_ID")));
    assert_says(&deliveries.refused(), &["column PSEUDO_ID holds tokens as floating-point numbers"]);
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.parquet", parquet(columns("NOTE")));
    assert!(deliveries.find().is_ok(), "a text that identifies nothing");
    let looked_up =
        "\"pcn\": { \"lookup\": \"practices\", \"by\": \"note\", \"column\": \"pcn\", \"type\": \"text\" }, \"note\"";
    for (from, to) in [("\"files\"", "\"key\": [\"note\"], \"files\""), ("\"note\"", looked_up)] {
        let deliveries = Deliveries::gp_with(from, to);
        deliveries.write("gp/a.parquet", parquet(columns("NOTE")));
        assert_says(&deliveries.refused(), &["column NOTE holds keys as floating-point numbers"]);
    }
}

/// The fourth column made by SQL, and the header it meets.
fn with_sql(sql: &str, absent: bool) -> Deliveries {
    let made = format!("\"expr\": \"{}\"", sql.replace('"', "\\\""));
    let declared = GP_EVENTS.replace("\"from\": \"NOTE\"", &made);
    let may = format!("\"may_be_absent\": {absent}");
    Deliveries::new(&[("gp_events", &declared.replace("\"may_be_absent\": true", &may))])
}

#[test]
fn sql_reads_names_to_the_letter() {
    for absent in [false, true] {
        let deliveries = with_sql("upper(NOTE)", absent);
        deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED,NOTE\np,d,c,n\n");
        let text = "source gp_events, file gp/a.csv: column note is missing; write \"NOTE\" in double quotes";
        assert_eq!(deliveries.refused().to_string(), text);
    }
    let deliveries = with_sql("upper(\"NOTE\")", false);
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED,NOTE\np,d,c,n\n");
    assert!(deliveries.find().is_ok());
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED,NOTES\np,d,c,n\n");
    assert_says(&deliveries.refused(), &["column NOTE is missing; did you mean \"NOTES\"?"]);
    let deliveries = with_sql("upper(\"NOTE\")", true);
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED\np,d,c\n");
    assert!(deliveries.find().is_ok(), "the column may be absent");
}

#[test]
fn sql_has_a_meaning_for_every_file_before_a_row_is_read() {
    let sql = "case when \"NOTE\" > 3 then 'many' end";
    let deliveries = with_sql(sql, false);
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED,NOTE\nCANARY7Q,d,c,n\n");
    let words = ["file gp/a.csv: column note: this SQL has no meaning", "it compares Utf8 with Int64"];
    assert_says(&deliveries.refused(), &words);
    let columns = |note| {
        let mut columns = ["PSEUDO_ID", "EVENT_DATE", "SNOMED"].map(|name| (name, texts(&["x"]))).to_vec();
        columns.push(("NOTE", note));
        parquet(columns)
    };
    let deliveries = with_sql(sql, false);
    deliveries.write("gp/a.parquet", columns(Arc::new(Int64Array::from(vec![4]))));
    assert!(deliveries.find().is_ok());
    let deliveries = with_sql(sql, false);
    deliveries.write("gp/a.parquet", columns(texts(&["4"])));
    assert_says(&deliveries.refused(), &["file gp/a.parquet: column note", "it compares Utf8 with Int64"]);
    let deliveries = with_sql("concat(\"NOTE\", _file)", false);
    deliveries.write("gp/a.parquet", columns(texts(&["4"])));
    assert!(deliveries.find().is_ok(), "the file's name is text");
    let item = GP_EVENTS
        .replace("\"columns\"", "\"demographics\": { \"ethnicity\": { \"expr\": \"SNOMED + 1 > 'a'\" } }, \"columns\"");
    let deliveries = Deliveries::new(&[("gp_events", &item.replace("SNOMED +", "\\\"SNOMED\\\" +"))]);
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED\np,d,c\n");
    assert_says(&deliveries.refused(), &["file gp/a.csv: item ethnicity: this SQL has no meaning"]);
}

#[test]
fn files_of_equal_bytes_are_one_unless_their_names_are_read() {
    let text = "PSEUDO_ID,EVENT_DATE,SNOMED\np,d,c\n";
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", text).write("gp/b.csv", text);
    let found = deliveries.find().unwrap();
    assert_eq!((found.sources[0].files.len(), found.sources[0].repeated.clone()), (1, vec!["gp/b.csv".to_owned()]));
    let deliveries = with_sql("_file", false);
    deliveries.write("gp/b.csv", text).write("gp/a.csv", text);
    let found = deliveries.find().unwrap();
    let names: Vec<&str> = found.sources[0].files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!((names, found.sources[0].repeated.len()), (vec!["gp/a.csv", "gp/b.csv"], 0));
}

#[test]
fn declarations_say_which_columns_are_read() {
    let source = super::declared(
        "admissions",
        r#"{
        "title": "Spells",
        "one_row_is": "one spell",
        "legal_basis": "test",
        "files": "x.csv",
        "columns": {
            "person": { "from": "ID", "type": "pseudonym" },
            "diagnoses": { "from": "DIAG_*", "type": "code", "system": "icd10" },
            "days": { "expr": "\"DIS\" - \"ADM\" + length(_file)", "type": "integer" },
            "practice": { "lookup": "practices", "by": "person", "column": "name", "type": "text" },
            "note": { "from": ["ID", "NOTE"], "type": "text", "may_be_absent": true }
        }
        }"#,
    );
    let header = ["DIAG_10", "ADM", "DIAG_2", "ID", "DIS"].map(str::to_owned);
    let columns = source::delivered_columns(&source, &header);
    assert_eq!(columns, ["ID", "DIAG_2", "DIAG_10", "ADM", "DIS", "NOTE"]);
}
