//! Files cut off, damaged or made to harm: A7, A9, A10.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use rand::{Rng, SeedableRng};

use super::{CANARY, Deliveries, assert_says, gzip, parquet, texts};

const HEADER: &str = "PSEUDO_ID,EVENT_DATE,SNOMED\n";

fn columns() -> Vec<(&'static str, ArrayRef)> {
    let tokens: Vec<String> = (0..500).map(|n| format!("{CANARY}{}", n * 7919 % 500)).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    vec![
        ("PSEUDO_ID", texts(&tokens)),
        ("EVENT_DATE", texts(&tokens)),
        ("SNOMED", Arc::new(Int64Array::from_iter_values(0..500))),
    ]
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let rows: String = (0..500).map(|n| format!("{CANARY}{},d,c\n", n * 7919 % 500)).collect();
    for (name, whole) in
        [("gp/a.parquet", parquet(columns())), ("gp/a.csv.gz", gzip(format!("{HEADER}{rows}").as_bytes()))]
    {
        let deliveries = Deliveries::gp();
        for percent in 0..100 {
            deliveries.write(name, &whole[..whole.len() * percent / 100]);
            let error = deliveries.refused();
            assert_says(&error, &["gp_events"]);
            assert_eq!(error.exit_code(), if percent == 0 { 3 } else { 1 });
        }
        deliveries.write(name, &whole[..whole.len() - 1]);
        deliveries.refused();
        deliveries.write(name, &whole);
        assert_eq!(deliveries.read().unwrap().rows.len(), 500);
    }
}

#[test]
fn damage_is_an_error_or_goes_unseen_but_never_ends_the_process() {
    let whole = parquet(columns());
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let deliveries = Deliveries::gp();
    for round in 0..400 {
        let mut bytes = whole.clone();
        // Half of the flips go to the footer, where counts and sizes are claimed.
        let from = if round % 2 == 0 { 0 } else { bytes.len() - 700.min(bytes.len()) };
        let at = random.random_range(from..bytes.len());
        bytes[at] ^= 1 << random.random_range(0..8);
        deliveries.write("gp/a.parquet", &bytes);
        if let Err(error) = deliveries.read() {
            assert_says(&error, &["gp_events"]);
            assert!(!error.to_string().contains(CANARY), "{error}");
        }
    }
}

fn with_footer(footer: &[u8]) -> Vec<u8> {
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [b"PAR1", footer, &length, b"PAR1"].concat()
}

/// A field of the schema list: name "a" and its number of children.
fn element(children: &[u8]) -> Vec<u8> {
    [&[0x48, 1, b'a', 0x15], children, &[0]].concat()
}

#[test]
fn a_footer_that_claims_too_much_is_refused_before_it_is_decoded() {
    let refuse = |footer: &[u8], words: &[&str]| {
        let deliveries = Deliveries::gp();
        deliveries.write("gp/a.parquet", with_footer(footer));
        assert_says(&deliveries.refused(), &[&["gp_events", "gp/a.parquet"], words].concat());
    };
    // A list of a billion schema elements; of a billion row groups.
    refuse(&[0x29, 0xFC, 0x80, 0x94, 0xEB, 0xDC, 0x03], &["breaks off"]);
    refuse(&[0x49, 0xFC, 0x80, 0x94, 0xEB, 0xDC, 0x03], &["breaks off"]);
    // A root with a billion children, alone.
    let root = element(&[0x80, 0xA8, 0xD6, 0xB9, 0x07]);
    refuse(&[&[0x29, 0x1C], root.as_slice(), &[0]].concat(), &["children that it does not hold"]);
    // A thousand groups, each inside the one before.
    let deep = [vec![0x29, 0xFC, 0xE9, 0x07], element(&[2]).repeat(1000), element(&[0]), vec![0]].concat();
    refuse(&deep, &["nested too deep"]);
    // 20,000 columns below one root.
    let wide =
        [vec![0x29, 0xFC, 0xA1, 0x9C, 0x01], element(&[0xC0, 0xB8, 0x02]), element(&[0]).repeat(20_000)].concat();
    refuse(&[wide, vec![0]].concat(), &["more than 10,000 columns"]);
    // Lists inside lists.
    refuse(&[0x19].iter().chain(&[0x19; 1000]).copied().collect::<Vec<_>>(), &["nested too deep"]);
    refuse(&[], &["malformed Parquet"]);
}

#[test]
fn a_billion_rows_in_a_small_file_are_refused() {
    let deliveries = Deliveries::gp();
    let same: ArrayRef = Arc::new(Int64Array::from(vec![1; 1_050_000]));
    let columns = ["PSEUDO_ID", "EVENT_DATE", "SNOMED"].map(|name| (name, same.clone()));
    deliveries.write("gp/a.parquet", parquet(columns.to_vec()));
    assert_says(&deliveries.refused(), &["more rows than a file of its size can hold"]);
}

#[test]
fn a_gzip_bomb_is_refused() {
    let deliveries = Deliveries::gp();
    let member = gzip(format!("p,d,{}\n", "c".repeat(1 << 19)).repeat(4).as_bytes());
    deliveries.write("gp/a.csv.gz", [gzip(HEADER.as_bytes()), member.repeat(40)].concat());
    assert_says(&deliveries.refused(), &["unpacks to more than 400 times its size"]);
}

#[test]
fn a_line_without_end_is_refused() {
    let deliveries = Deliveries::gp();
    deliveries.write("gp/a.csv", format!("{HEADER}p1,d,c\n{}", CANARY.repeat(200_000)));
    assert_says(&deliveries.refused(), &["line 3 is longer than 1 MiB"]);
    deliveries.write("gp/a.csv", ",".repeat(20_000));
    assert_says(&deliveries.refused(), &["more than 10,000 columns"]);
}

#[test]
fn what_only_looks_like_a_format_is_refused() {
    let deliveries = Deliveries::gp();
    for (name, content) in
        [("gp/a.parquet", "PSEUDO_ID,EVENT_DATE\nCANARY7Q,d\n"), ("gp/b.csv.gz", "PSEUDO_ID\nCANARY7Q\n")]
    {
        deliveries.write(name, content);
    }
    assert_says(&deliveries.refused(), &["gp/a.parquet: this is not Parquet", "gp/b.csv.gz: malformed gzip"]);
}
