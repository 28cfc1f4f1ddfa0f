//! The codes that invented records are made of: real ones, used as plain facts about real vocabularies.
//!
//! Conditions stand on the open lists from which `models/codelists/long_term_conditions.csv` was made.

/// A long-term condition: how likely, and what it leaves in records.
pub struct Condition {
    /// Category of the code list.
    pub name: &'static str,
    /// SNOMED CT, the usual code first.
    pub snomed: &'static [&'static str],
    /// ICD-10 without dots.
    pub icd10: &'static [&'static str],
    /// Medicines: BNF code, dm+d code where known.
    pub medicines: &'static [Medicine],
    /// Log odds at 60, and their rise in 20 years.
    pub base: f64,
    pub by_age: f64,
    pub from_age: f64,
}

/// BNF presentation code (15 characters), and dm+d product code or nothing.
pub type Medicine = (&'static str, &'static str);

const fn condition(
    name: &'static str,
    snomed: &'static [&'static str],
    icd10: &'static [&'static str],
    medicines: &'static [Medicine],
    odds: (f64, f64, f64),
) -> Condition {
    Condition { name, snomed, icd10, medicines, base: odds.0, by_age: odds.1, from_age: odds.2 }
}

const STATIN: Medicine = ("0212000B0AAABAB", "320030001");
const ASPIRIN: Medicine = ("0209000A0AAABAB", "319775004");
const CLOPIDOGREL: Medicine = ("0209000C0AAAAAA", "319778002");
const RAMIPRIL: Medicine = ("0205051R0AAACAC", "318902004");
const BISOPROLOL: Medicine = ("0204000H0AAAJAJ", "");
const FUROSEMIDE: Medicine = ("0202020L0AABDBD", "");
const SALBUTAMOL: Medicine = ("0301011R0AAAPAP", "320139002");
const INHALED_STEROID: Medicine = ("0302000C0AABFBF", "");
const TIOTROPIUM: Medicine = ("0301020Q0AAABAB", "");
const METFORMIN: Medicine = ("0601022B0AAABAB", "325278007");
const APIXABAN: Medicine = ("0208020Z0AAABAB", "");
const PARACETAMOL: Medicine = ("0407010H0AAAMAM", "42109611000001109");
const MORPHINE: Medicine = ("0407020Q0AAAFAF", "");
const DONEPEZIL: Medicine = ("0411000D0AAABAB", "");
const CARELDOPA: Medicine = ("0409010N0AAAAAA", "");
const LAMOTRIGINE: Medicine = ("0408010H0AAACAC", "");
const TAMOXIFEN: Medicine = ("0803041S0AAABAB", "");
const THIAMINE: Medicine = ("0906026M0AAAGAG", "");

pub static CONDITIONS: [Condition; 16] = [
    condition(
        "asthma",
        &["195967001", "370218001", "370221004"],
        &["J459", "J450"],
        &[SALBUTAMOL, INHALED_STEROID],
        (-2.6, -0.5, 3.0),
    ),
    condition(
        "copd",
        &["13645005", "87433001", "63480004"],
        &["J449", "J440", "J441"],
        &[TIOTROPIUM, SALBUTAMOL],
        (-4.1, 0.9, 35.0),
    ),
    condition(
        "heart_failure",
        &["84114007", "42343007", "48447003"],
        &["I500", "I501", "I509"],
        &[FUROSEMIDE, BISOPROLOL, RAMIPRIL],
        (-5.0, 1.2, 30.0),
    ),
    condition(
        "coronary_heart_disease",
        &["53741008", "194828000", "22298006"],
        &["I251", "I209", "I252"],
        &[ASPIRIN, STATIN, BISOPROLOL],
        (-3.7, 1.0, 30.0),
    ),
    condition(
        "atrial_fibrillation",
        &["49436004", "426749004"],
        &["I48X", "I489"],
        &[APIXABAN, BISOPROLOL],
        (-4.4, 1.3, 30.0),
    ),
    condition(
        "diabetes",
        &["44054006", "73211009", "46635009"],
        &["E119", "E109", "E112"],
        &[METFORMIN, STATIN],
        (-2.7, 0.5, 5.0),
    ),
    condition(
        "chronic_kidney_disease",
        &["433144002", "700378005", "431857002"],
        &["N183", "N184", "N189"],
        &[RAMIPRIL],
        (-3.9, 1.3, 25.0),
    ),
    condition(
        "stroke",
        &["230690007", "422504002", "371041009"],
        &["I639", "I694", "I678"],
        &[CLOPIDOGREL, STATIN],
        (-4.4, 1.0, 30.0),
    ),
    condition(
        "dementia",
        &["52448006", "26929004", "429998004"],
        &["F03X", "F009", "F019", "G309"],
        &[DONEPEZIL],
        (-6.6, 2.0, 60.0),
    ),
    condition("parkinsons", &["49049000"], &["G20X"], &[CARELDOPA], (-6.6, 1.2, 45.0)),
    condition("epilepsy", &["84757009", "79745005"], &["G409", "R568"], &[LAMOTRIGINE], (-4.7, 0.0, 1.0)),
    condition("liver_disease", &["19943007", "76783007"], &["K746", "K709"], &[THIAMINE], (-5.2, 0.3, 25.0)),
    condition("lung_cancer", &["363358000", "254637007"], &["C349"], &[MORPHINE], (-6.8, 0.8, 40.0)),
    condition(
        "other_cancer",
        &["254838004", "254900004", "269533000"],
        &["C509", "C61X", "C189"],
        &[TAMOXIFEN, PARACETAMOL],
        (-4.4, 0.8, 25.0),
    ),
    condition("severe_obesity", &["408512008", "819948005"], &["E660", "E668"], &[], (-3.8, -0.2, 18.0)),
    condition("alcohol_problem", &["7200002", "15167005"], &["F102", "K292"], &[THIAMINE], (-4.4, -0.3, 18.0)),
];

/// Reasons of emergency admissions, many of them marks of frailty (HFRS).
pub const ACUTE_ICD10: [(&str, u32); 16] = [
    ("J189", 12),
    ("N390", 12),
    ("R074", 10),
    ("R104", 8),
    ("S720", 4),
    ("L031", 5),
    ("K590", 4),
    ("R55X", 5),
    ("N179", 5),
    ("A419", 5),
    ("J22X", 6),
    ("R296", 5),
    ("S065", 2),
    ("K922", 3),
    ("T391", 2),
    ("O800", 2),
];

/// What frail people are also coded with.
pub const FRAILTY_ICD10: [&str; 16] = [
    "F059", "W190", "R296", "R268", "R410", "E86X", "E876", "L89X", "R54X", "Z740", "R32X", "W188", "S000", "Z602",
    "R13X", "R634",
];

pub const ELECTIVE_ICD10: [&str; 8] = ["H269", "K409", "M179", "M169", "K635", "Z098", "N401", "I839"];

/// Codes that look like ICD-10 and are none.
pub const NO_ICD10: [&str; 3] = ["ZZZ9", "NONE", "5119"];

/// Consultations, checks and events of any surgery.
pub const GP_CODES: [(&str, u32); 14] = [
    ("185349003", 30),
    ("185317003", 22),
    ("314529007", 14),
    ("822851000000102", 8),
    ("59621000", 6),
    ("35489007", 4),
    ("197480006", 4),
    ("77176002", 3),
    ("161891005", 3),
    ("68566005", 2),
    ("386661006", 2),
    ("25064002", 2),
    ("267036007", 2),
    ("82423001", 2),
];

/// What is written about frail people at home.
pub const FRAIL_GP_CODES: [&str; 6] =
    ["925831000000107", "925861000000102", "217082002", "160689007", "267076002", "248279007"];

/// Measurements: code, unit, mean, spread.
pub const MEASURES: [(&str, &str, f64, f64); 5] = [
    ("271649006", "mm[Hg]", 134.0, 16.0),
    ("271650006", "mm[Hg]", 77.0, 9.0),
    ("60621009", "kg/m2", 27.5, 4.5),
    ("999791000000106", "mmol/mol", 43.0, 9.0),
    ("1011481000000105", "mL/min/{1.73_m2}", 74.0, 15.0),
];

pub const OTHER_MEDICINES: [(Medicine, u32); 8] = [
    (PARACETAMOL, 10),
    (("0103050P0AAAAAA", "317291008"), 14),
    (("0403030Q0AAAAAA", ""), 10),
    (("0206020A0AAABAB", "319283006"), 10),
    (("0602010V0AABXBX", ""), 6),
    (("0403010B0AAAGAG", ""), 4),
    (("0407020C0AAABAB", ""), 4),
    (("0501013B0AAAAAA", ""), 5),
];

/// Codes of the ethnic categories before 2001.
pub const OUTDATED_ETHNICITY: [&str; 3] = ["0", "1", "4"];

/// ECDS chief complaints.
pub const COMPLAINTS: [&str; 8] =
    ["29857009", "267036007", "21522001", "161898004", "271782001", "386661006", "312608009", "82271004"];

/// A SNOMED CT code with a wrong check digit, as a mistyped one has.
pub fn with_wrong_check_digit(code: &str) -> String {
    let mut code = code.to_owned();
    let last = code.pop().and_then(|digit| digit.to_digit(10)).unwrap_or(0);
    code.push(char::from_digit((last + 1) % 10, 10).unwrap_or('0'));
    code
}

/// The 2001 category as council records word it, in the list of 2021.
pub fn council_ethnicity(code: &str) -> &'static str {
    match code {
        "A" => "White - English, Welsh, Scottish, Northern Irish or British",
        "B" => "White - Irish",
        "C" => "White - Any other White background",
        "D" => "Mixed or multiple ethnic groups - White and Black Caribbean",
        "E" => "Mixed or multiple ethnic groups - White and Black African",
        "F" => "Mixed or multiple ethnic groups - White and Asian",
        "G" => "Mixed or multiple ethnic groups - Any other Mixed or multiple ethnic background",
        "H" => "Asian or Asian British - Indian",
        "J" => "Asian or Asian British - Pakistani",
        "K" => "Asian or Asian British - Bangladeshi",
        "R" => "Asian or Asian British - Chinese",
        "L" => "Asian or Asian British - Any other Asian background",
        "M" => "Black, Black British, Caribbean or African - Caribbean",
        "N" => "Black, Black British, Caribbean or African - African",
        "P" => "Black, Black British, Caribbean or African - Any other Black, Black British or Caribbean background",
        "S" => "Other ethnic group - Any other ethnic group",
        "Z" => "No data - Refused",
        "99" => "No data - Undeclared or Not known",
        "" => "",
        _ => "White British (old list)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codelist::normalise;
    use crate::pipeline::decl::CodeSystem;

    #[test]
    fn conditions_stand_on_the_shipped_list() {
        let list = include_str!("../../models/codelists/long_term_conditions.csv");
        for condition in &CONDITIONS {
            for code in condition.snomed {
                assert!(list.contains(&format!("\n{code},{},", condition.name)), "{code} for {}", condition.name);
            }
        }
    }

    #[test]
    fn every_code_is_well_formed() {
        let snomed = CONDITIONS.iter().flat_map(|condition| condition.snomed.iter().copied());
        let snomed = snomed.chain(GP_CODES.map(|(code, _)| code)).chain(MEASURES.map(|(code, ..)| code));
        for code in snomed.chain(FRAIL_GP_CODES).chain(COMPLAINTS) {
            assert!(normalise(CodeSystem::Snomed, code).is_some(), "{code}");
            assert!(normalise(CodeSystem::Snomed, &with_wrong_check_digit(code)).is_none(), "{code}");
        }
        let own = CONDITIONS.iter().flat_map(|condition| condition.medicines.iter().copied());
        for (bnf, dmd) in own.chain(OTHER_MEDICINES.map(|(medicine, _)| medicine)) {
            assert!(bnf.len() == 15 && normalise(CodeSystem::Bnf, bnf).is_some(), "{bnf}");
            assert!(dmd.is_empty() || normalise(CodeSystem::Dmd, dmd).is_some(), "{dmd}");
        }
        let icd10 = CONDITIONS.iter().flat_map(|condition| condition.icd10.iter().copied());
        for code in icd10.chain(ACUTE_ICD10.map(|(code, _)| code)).chain(FRAILTY_ICD10).chain(ELECTIVE_ICD10) {
            assert!(normalise(CodeSystem::Icd10, code).is_some(), "{code}");
        }
        for code in NO_ICD10 {
            assert!(normalise(CodeSystem::Icd10, code).is_none(), "{code}");
        }
    }
}
