//! Rows of delimited text: A1, A2, A4, A5.

use super::{CANARY, Deliveries, assert_says, gzip};

const HEADER: &str = "PSEUDO_ID,EVENT_DATE,SNOMED,NOTE\n";

fn gp(rows: &str) -> Deliveries {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", format!("{HEADER}{rows}"));
    deliveries
}

#[test]
fn ragged_rows_are_set_aside_by_physical_line() {
    let read = gp("p1,d,c,n\np2,d,c\n\np3,d,c,n,CANARY7Q\np4,d,c,n\n").read().unwrap();
    assert_eq!(read.numbers(), [2, 6]);
    assert_eq!(read.rules(), [(3, "3 fields, header has 4"), (5, "5 fields, header has 4")]);
}

#[test]
fn blank_surplus_is_dropped_where_declared() {
    let deliveries = Deliveries::gp_with("\"files\"", "\"ragged_rows\": \"drop_blank_surplus\", \"files\"");
    deliveries.write("gp/a.csv", format!("{HEADER}p1,d,c,n,, \np2,d,c,n,CANARY7Q\np3,d,c\n"));
    let read = deliveries.read().unwrap();
    assert_eq!(read.cells(), [["p1", "d", "c", "n"]]);
    assert_eq!(read.rules(), [(3, "5 fields, header has 4"), (4, "3 fields, header has 4")]);
}

#[test]
fn missing_fields_are_blank_where_declared() {
    let deliveries = Deliveries::gp_with("\"files\"", "\"ragged_rows\": \"blank_missing\", \"files\"");
    deliveries.write("gp/a.csv", format!("{HEADER}p1,d,c\np2,d,c,n,x\n"));
    let read = deliveries.read().unwrap();
    assert_eq!(read.cells(), [["p1", "d", "c", ""]]);
    assert_eq!(read.rules(), [(3, "5 fields, header has 4")]);
}

#[test]
fn a_trailing_comma_in_header_and_rows_is_harmless() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", "PSEUDO_ID,EVENT_DATE,SNOMED,,\np1,d,c,,\n");
    assert_eq!(deliveries.read().unwrap().cells(), [["p1", "d", "c", "null"]]);
    assert!(deliveries.find().unwrap().sources[0].unused_columns.is_empty());
}

#[test]
fn a_stray_quote_spoils_one_row() {
    let read = gp("p1,d,c,5\" CANARY7Q\np2,d,c,\"n\"x\np3,d,c,n\n").read().unwrap();
    assert_eq!(read.numbers(), [4]);
    assert_eq!(read.rules(), [(2, "stray or unclosed quote"), (3, "stray or unclosed quote")]);
}

#[test]
fn a_quote_that_is_never_closed_stops_the_run() {
    let error = gp("p0,d,c,n\np1,d,c,\"CANARY7Q\np2,d,c,n\np3,d,c,n\n").refused();
    assert_eq!(error.exit_code(), 1);
    assert_says(&error, &["gp_events", "gp/a.csv", "quote opened on line 3 is never closed"]);
    let long = format!("p1,d,c,\"n\n{}", "p2,d,c,n\n".repeat(200_000));
    assert_says(&gp(&long).refused(), &["quote opened on line 2 is never closed"]);
}

#[test]
fn a_quote_that_swallows_rows_stops_the_run() {
    let error = gp("p1,d,c,\"CANARY7Q\np2,d,c,n\np3,d,c,\"n\"\np4,d,c,n\n").refused();
    assert_says(&error, &["line 2", "up to 4"]);
    let error = gp("p1,d,\"c,n\np2,d,c\",n\np3,d,\"c\nCANARY7Q\"\n").refused();
    assert_says(&error, &["line 4", "up to 5", "3 fields, header has 4"]);
}

#[test]
fn quoted_fields_hold_quotes_separators_and_line_breaks() {
    let read =
        gp("p1,d,c,\"a \"\"b\"\", c\"\r\n\"p2\",\"\",\"c\",\"two\r\n\nlines\"\r\np3,d,c,\"\"\"\"\n").read().unwrap();
    assert_eq!(
        read.cells(),
        [["p1", "d", "c", "a \"b\", c"], ["p2", "", "c", "two\r\n\nlines"], ["p3", "d", "c", "\""]]
    );
    assert_eq!(read.numbers(), [2, 3, 6]);
}

#[test]
fn line_endings_may_be_mixed_and_the_last_one_missing() {
    let read = gp("p1,d,c,n\r\n\r\np2,d,c,n\n\np3,d,c,").read().unwrap();
    assert_eq!(read.cells(), [["p1", "d", "c", "n"], ["p2", "d", "c", "n"], ["p3", "d", "c", ""]]);
    assert_eq!(read.numbers(), [2, 4, 6]);
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", format!("{HEADER}p1,d,c,n\n").replace('\n', "\r"));
    assert_says(&deliveries.refused(), &["CR alone"]);
}

#[test]
fn columns_are_bound_by_name() {
    let one = gp("p1,d1,c1,n1\np2,d2,c2,n2\n").read().unwrap();
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", "NOTE;SNOMED;X;PSEUDO_ID;EVENT_DATE\nn1;c1;x;p1;d1\nn2;c2;x;p2;d2\n");
    let mut deliveries = deliveries;
    deliveries.pipeline.sources[0].decl.delimiter = ';';
    assert_eq!(deliveries.read().unwrap(), one);
}

#[test]
fn a_late_row_is_named_by_its_line() {
    let mut content = String::from(HEADER);
    for row in 2..=200_000 {
        content.push_str(if row == 190_001 { "p1,d,c\n" } else { "p1,d,c,n\n" });
    }
    for name in ["gp/a.csv", "gp/a.csv.gz"] {
        let deliveries = Deliveries::gp();
        let gz = name.ends_with("gz");
        deliveries.write(name, if gz { gzip(content.as_bytes()) } else { content.clone().into_bytes() });
        let read = deliveries.read().unwrap();
        assert_eq!(read.rows.len(), 199_998);
        assert_eq!(read.rules(), [(190_001, "3 fields, header has 4")]);
        assert_eq!(read.numbers().last(), Some(&200_000));
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_name() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", format!("\u{feff}{HEADER}p1,d,c,n\n"));
    assert_eq!(deliveries.read().unwrap().cells(), [["p1", "d", "c", "n"]]);
    deliveries.write("gp/a.csv", "\u{feff}\"PSEUDO_ID\",EVENT_DATE,SNOMED\np1,d,c\n");
    assert_eq!(deliveries.read().unwrap().cells(), [["p1", "d", "c", "null"]]);
}

#[test]
fn other_encodings_are_refused() {
    let text = format!("{HEADER}p1,d,c,{CANARY}\n");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", [b"\xFF\xFE".as_slice(), &little].concat());
    assert_says(&deliveries.refused(), &["gp/a.csv", "UTF-16"]);
    deliveries.write("gp/a.csv", &little);
    assert_says(&deliveries.refused(), &["gp/a.csv", "line 1, the header: NUL byte"]);
    deliveries.write("gp/a.csv", b"PSEUDO_ID,EVENT_DATE,SNOMED,CAF\xC9\np1,d,c,n\n");
    assert_says(&deliveries.refused(), &["the header: invalid UTF-8"]);
}

#[test]
fn rows_with_foreign_bytes_are_set_aside() {
    let deliveries = Deliveries::gp();
    let rows = b"p1,d,c,caf\xE9\np2,d,c,\0\np3,d,c,\"caf\xE9\"\np4,d,\xC3,\xA9\np5,d,c,\xC3\xA9\n";
    deliveries.write("gp/a.csv", [HEADER.as_bytes(), rows].concat());
    let read = deliveries.read().unwrap();
    assert_eq!(read.cells(), [["p5", "d", "c", "é"]]);
    let utf8 = "invalid UTF-8";
    assert_eq!(read.rules(), [(2, utf8), (3, "NUL byte"), (4, utf8), (5, utf8)]);
}

/// Whatever a careful writer writes is read as another reader reads it.
#[test]
fn well_formed_files_are_read_as_by_another_reader() {
    use rand::{Rng, SeedableRng};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let parts = ["a", "é", "\"\"", ",", "\n", "\r\n", " ", "1"];
    let mut content = String::from(HEADER);
    for _ in 0..2000 {
        for field in 0..4 {
            let text: String = (0..random.random_range(0..4)).map(|_| parts[random.random_range(0..8)]).collect();
            let quoted = field == 0 || text.contains(['"', ',', '\n', '\r']) || random.random_bool(0.2);
            content.push_str(&if quoted { format!("\"{text}\"") } else { text });
            content.push_str(if field < 3 { "," } else { "\n" });
        }
    }
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", &content);
    let read = deliveries.read().unwrap();
    assert_eq!(read.malformed, []);
    let mine: Vec<String> = read.cells().concat().into_iter().map(str::to_owned).collect();
    assert_eq!(mine, theirs(content.as_bytes())[4..]);
}

fn theirs(mut content: &[u8]) -> Vec<String> {
    let mut reader = csv_core::Reader::new();
    let mut cells = Vec::new();
    let mut cell = [0; 256];
    loop {
        let (result, read, written) = reader.read_field(content, &mut cell);
        content = &content[read..];
        match result {
            csv_core::ReadFieldResult::Field { .. } => {
                cells.push(String::from_utf8(cell[..written].to_vec()).unwrap());
            }
            csv_core::ReadFieldResult::End => return cells,
            _ => {}
        }
    }
}
