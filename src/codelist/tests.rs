use super::*;

fn icd10(raw: &str) -> Option<String> {
    normalise(CodeSystem::Icd10, raw).map(std::borrow::Cow::into_owned)
}

#[test]
fn every_spelling_of_an_icd_10_code_becomes_one() {
    let cases = [
        ("I50", "I50"),
        ("I50X", "I50"),
        ("i50", "I50"),
        ("I50.", "I50"),
        ("I50-", "I50"),
        ("I50.-", "I50"),
        ("I50.X", "I50"),
        ("I50XD", "I50"),
        ("I50XA", "I50"),
        ("I50X+", "I50"),
        (" I50 ", "I50"),
        ("i50x", "I50"),
        ("I50.0", "I500"),
        ("I500", "I500"),
        ("i50.0 ", "I500"),
        ("I50.0D", "I500"),
        ("I500D", "I500"),
        ("I500A", "I500"),
        ("I50.0A", "I500"),
        ("I50.0†", "I500"),
        ("I50.0*", "I500"),
        ("I50.0+", "I500"),
        ("I 50 0", "I500"),
        ("I50 .0", "I500"),
        ("\tI50.0\n", "I500"),
        ("i500d", "I500"),
        ("I500-", "I500"),
        ("E11.9", "E119"),
        ("E119", "E119"),
        ("M45X2", "M45"),
        ("M45.X2", "M45"),
        ("M80.08", "M8008"),
        ("M8008", "M8008"),
        ("M8008D", "M8008"),
        ("U07.1", "U071"),
        ("Z99", "Z99"),
        ("A00.0", "A000"),
        ("S72.00", "S7200"),
        ("S72.00A", "S7200"),
        ("G30.9D", "G309"),
        ("F00.9A", "F009"),
        ("R69X", "R69"),
        ("R69X6", "R69"),
        ("B95.2", "B952"),
        ("T81.0", "T810"),
    ];
    for (raw, code) in cases {
        assert_eq!(icd10(raw).as_deref(), Some(code), "{raw:?}");
    }
    for raw in
        ["", "I", "I5", "50", "I5O", "I50D", "I500000", "I50.0.0.0.0", "150.0", "ÎSO", "I50XX", "XXXX", "&", "I50,E11"]
    {
        assert_eq!(icd10(raw), None, "{raw:?}");
    }
}

#[test]
fn a_snomed_identifier_has_a_right_check_digit() {
    // From the SNOMED CT browser.
    for right in
        ["22298006", "84114007", "73211009", "195967001", "138875005", "900000000000207008", "1047991000000102"]
    {
        assert_eq!(normalise(CodeSystem::Snomed, right).as_deref(), Some(right));
        assert_eq!(normalise(CodeSystem::Dmd, &format!(" {right} ")).as_deref(), Some(right));
        let (start, last) = right.split_at(right.len() - 1);
        for wrong in (0..10).map(|digit| digit.to_string()).filter(|digit| digit != last) {
            assert_eq!(normalise(CodeSystem::Snomed, &format!("{start}{wrong}")), None, "{start}{wrong}");
        }
    }
    for wrong in ["1.23E+17", "22298006.0", "022298006", "22289006", "2229800", "", "9000000000002070081", "22298006a"]
    {
        assert_eq!(normalise(CodeSystem::Snomed, wrong), None, "{wrong}");
    }
}

#[test]
fn other_systems_keep_to_their_shapes() {
    use CodeSystem as S;
    let cases = [
        (S::Icd9, "428.0", Some("4280")),
        (S::Icd9, "V45.81", Some("V4581")),
        (S::Icd9, "E950", Some("E950")),
        (S::Icd9, "42", None),
        (S::Icd9, "428000", None),
        (S::Icd9, "X28", None),
        (S::Icd9, "25000", Some("25000")),
        (S::Ctv3, "XE0Uc", Some("XE0Uc")),
        (S::Ctv3, "G58..", Some("G58..")),
        (S::Ctv3, "G58", None),
        (S::Opcs4, "W37.1", Some("W371")),
        (S::Opcs4, "w37", Some("W37")),
        (S::Opcs4, "W3711", None),
        (S::Bnf, "0212000b0aaaaaa", Some("0212000B0AAAAAA")),
        (S::Bnf, "021", None),
        (S::Loinc, "4548-4", Some("4548-4")),
        (S::Loinc, "45484", None),
        (S::Loinc, "4548-44", None),
        (S::Ods, "rj1", Some("RJ1")),
        (S::Ods, "a", None),
        (S::Lsoa, "E01000001", Some("E01000001")),
        (S::Lsoa, "w01000001", Some("W01000001")),
        (S::Lsoa, "S01006506", Some("S01006506")),
        (S::Lsoa, "95AA01S1", Some("95AA01S1")),
        (S::Lsoa, "E02000001", None),
        (S::Lsoa, "E0100001", None),
    ];
    for (system, raw, code) in cases {
        assert_eq!(normalise(system, raw).as_deref(), code, "{raw}");
    }
}

fn entry(matching: &str, exclusive: bool) -> CodeListEntry {
    let json = serde_json::json!({ "file": "x.csv", "sha256": "00", "system": "icd10", "version": "1", "source": "x", "match": matching, "exclusive": exclusive });
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_recorded_code_matches_every_listed_code_it_begins_with() {
    let text = "code,category,label\nI50,chf,Heart failure\nI51,chf,\nI50.0,acute,\nK70,liver_mild,Alcoholic\nK71,liver_mild,Toxic\nI2,cvd,\nF0,dementia,\nI50,Heart,Heart\n";
    let list = code_list("x", &entry("prefix", false), text).unwrap();
    assert_eq!(list.categories, ["chf", "acute", "liver_mild", "cvd", "dementia", "heart"]);
    assert_eq!(list.labels, ["Heart failure", "acute", "liver mild", "cvd", "dementia", "Heart"]);
    let matches = |code: &str| list.matches(code).collect::<Vec<_>>();
    assert_eq!(matches("I500"), [0, 1, 5]);
    assert_eq!(matches("I509"), [0, 5]);
    assert_eq!(matches("I21"), [3]);
    assert_eq!(matches("F009"), [4]);
    assert_eq!((matches("I5").len(), matches("").len()), (0, 0));
    let exact = code_list("x", &entry("exact", false), "code,category\nI50,chf\nI50.0,acute\n").unwrap();
    assert_eq!(exact.matches("I500").collect::<Vec<_>>(), [1]);
    assert_eq!(exact.matches("I509").count(), 0);
}

#[test]
fn every_bad_line_of_a_list_is_named() {
    let text = "code,category\nI50,chf\n5O,chf\nI50,chf\nI50,other\nI51,b c\n";
    let lines = |matching, exclusive| {
        code_list("x", &entry(matching, exclusive), text).unwrap_err().iter().map(|p| p.line).collect::<Vec<_>>()
    };
    assert_eq!(lines("prefix", false), [3, 6, 4]);
    assert_eq!(lines("exact", true), [3, 6, 4, 5]);
    assert!(code_list("x", &entry("exact", false), "code,category\nI5,chf\n").is_err());
    assert!(code_list("x", &entry("exact", false), "code,category\n").is_err());
}

#[test]
fn a_value_set_says_what_a_recorded_value_means() {
    let entry = ValueSetEntry { file: "x".into(), sha256: "00".into(), version: "1".into(), source: "x".into() };
    let text = "code,value,label,group,state\na,white_british,British,white,known\nZ,,Not stated,,declined\n99,,Not known,,not_known\n0,,White,,outdated\n";
    let set = value_set("x", &entry, text).unwrap();
    let state = |raw: &str| (set.state(raw).0, set.state(raw).1.map(|value| value.value.as_str()));
    assert_eq!(state(" A "), (RecordingState::Known, Some("white_british")));
    assert_eq!(state("z").0, RecordingState::Declined);
    assert_eq!(state("99").0, RecordingState::NotKnown);
    assert_eq!(state("0").0, RecordingState::Outdated);
    assert_eq!(state("Q"), (RecordingState::Invalid, None));
    assert_eq!(state("  "), (RecordingState::Blank, None));
    let wrong = "code,value,label,group,state\nA,,x,x,known\nA,b,x,x,known\nB,b,x,x,conflicting\n,b,x,x,known\n";
    assert_eq!(value_set("x", &entry, wrong).unwrap_err().len(), 4);
}

#[test]
fn codes_of_ones_own_are_taken_as_they_are_sent() {
    let local = |raw| normalise(CodeSystem::Local, raw).map(std::borrow::Cow::into_owned);
    assert_eq!(local(" I50.0X? ").as_deref(), Some("I50.0X?"));
    assert_eq!(local("0").as_deref(), Some("0"));
    assert_eq!(local("  "), None);
}
