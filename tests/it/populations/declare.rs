//! Random declarations over a fixed set of source layouts.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::civil::{Date, date};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::{calibrate, grow};

/// Files by path below the run file's folder, and what the data must know of them.
#[derive(Clone)]
pub struct Declarations {
    pub as_of: Date,
    pub files: BTreeMap<String, String>,
    /// The windows of the features: their edges are where events must fall.
    pub windows: Vec<&'static str>,
}

const WINDOWS: [&str; 12] = [
    "1 day",
    "30 days",
    "90 days",
    "365 days",
    "366 days",
    "1 month",
    "6 months",
    "12 months",
    "24 months",
    "1 year",
    "3 years",
    "ever",
];

/// Predicates over spells.
const SPELLS: [&str; 16] = [
    "method = 'emergency'",
    "method <> 'emergency'",
    "NOT (method = 'emergency' OR cost > 100)",
    "method IN ('emergency', 'elective')",
    "organisation NOT IN ('RXX01', 'RXX02')",
    "cost BETWEEN 10 AND 99.5",
    "cost >= 99.5 AND organisation = 'RXX01'",
    "organisation IS NULL OR cost < 50",
    "coalesce(cost, 0) = 0",
    "organisation LIKE 'RXX_2%'",
    "\"end\" IS NULL",
    "\"end\" - date > 2",
    "stay >= 1",
    "date >= '2024-02-29'",
    "extract(month from date) = 2",
    "CASE WHEN cost > 50 THEN method = 'emergency' ELSE organisation IS NOT NULL END",
];

/// Expressions over text that is not always a number.
const NIGHTS: [&str; 4] = [
    "CAST(\\\"NIGHTS\\\" AS BIGINT)",
    "60 / CAST(\\\"NIGHTS\\\" AS BIGINT)",
    "CASE WHEN \\\"NIGHTS\\\" = '0' THEN 0 ELSE 60 % CAST(\\\"NIGHTS\\\" AS BIGINT) END",
    "coalesce(nullif(TRY_CAST(\\\"NIGHTS\\\" AS BIGINT), 2), 7 / CAST(\\\"NIGHTS\\\" AS BIGINT))",
];

/// Predicates over contacts.
const CONTACTS: [&str; 8] = [
    "minutes > 15",
    "minutes / 10 = 2",
    "minutes % 2 = 1",
    "team = 'nursing'",
    "upper(left(team, 3)) = 'OTH'",
    "urgent",
    "urgent IS NOT TRUE",
    "nullif(minutes, 30) IS NULL AND NOT urgent",
];

impl Declarations {
    pub fn new(seed: u64) -> Self {
        let random = &mut super::random(seed, 1);
        let as_of = [date(2024, 2, 29), date(2026, 3, 1), date(2026, 4, 1), date(2025, 3, 30), date(2024, 12, 31)];
        let mut declarations = Self {
            as_of: *as_of.choose(random).unwrap(),
            files: BTreeMap::new(),
            windows: WINDOWS.choose_multiple(random, 5).copied().collect(),
        };
        declarations.sources(random);
        declarations.lists();
        declarations.features(random);
        declarations.models(random);
        declarations.audit(random);
        let run = format!(
            "title = \"A random population\"\ndeliveries = \"deliveries\"\nas_of = {}\n\
             sources = [\"superseded\", \"practices\", \"people\", \"housing\", \"spells\", \"practice_events\", \
             \"contacts\", \"opt_outs\", \"feedback\"]\nfeatures = [\"all\"]\nmodels = [\"sum\", \"risk\", \"grove\"]\n\
             audits = [\"gaps\"]\n",
            declarations.as_of
        );
        declarations.files.insert("run.toml".to_owned(), run);
        declarations
    }

    fn source(&mut self, name: &str, head: &str, body: &str) {
        let text = format!(
            "title = \"{name}\"\none_row_is = \"one row\"\nfiles = \"{name}-*\"\nlegal_basis = \"invented\"\n\
             max_bad_share = 1.0\nmay_be_empty = true\nignore = [\"row_no\"]\n{head}\n{body}"
        );
        self.files.insert(format!("sources/{name}.toml"), text);
    }

    fn sources(&mut self, random: &mut ChaCha8Rng) {
        let known_at = |random: &mut ChaCha8Rng| {
            if random.random_bool(0.5) {
                "recorded = { from = \"RECORDED\", type = \"date\", optional = true }\n"
            } else {
                ""
            }
        };
        let dated = if random.random_bool(0.8) { "date = { from = \"UPDATED\", type = \"date\" }\n" } else { "" };
        let of = |random: &mut ChaCha8Rng, all: &[&'static str]| *all.choose(random).unwrap();
        // A row about nobody is set aside whatever is declared.
        let lenient = of(random, &["", ", on_bad = \"blank\""]);
        let person = format!("[columns]\nperson = {{ from = \"TOKEN\", type = \"pseudonym\"{lenient} }}\n");
        let key_of_person = |random: &mut ChaCha8Rng| of(random, &["key = [\"person\"]", ""]);
        let blank = if random.random_bool(0.5) { "blank_values = [\"-\", \"n/k\"]" } else { "" };
        let body = format!(
            "{person}{dated}{}start = {{ from = \"START\", type = \"date\", optional = true }}\n\
             end = {{ from = \"END\", type = \"date\", optional = true }}\n\
             birth_date = {{ from = \"BORN\", type = \"date\", not_before = 1900-01-02, optional = true, on_bad = \"blank\" }}\n\
             death_date = {{ from = \"DIED\", type = \"date\", optional = true }}\n\
             practice = {{ from = \"PRACTICE\", type = \"code\", system = \"ods\", optional = true, on_bad = \"blank\" }}\n\
             pcn = {{ lookup = \"practices\", by = \"practice\", column = \"pcn\", type = \"text\", optional = true }}\n\
             decile = {{ lookup = \"practices\", by = \"practice\", column = \"decile\", type = \"integer\", optional = true }}\n\
             [demographics]\nethnicity = {{ from = \"ETHNICITY\", values = \"ethnicity\" }}\nborn = {{ from = \"BORN\" }}\n\
             postcode = {{ from = \"POSTCODE\" }}\n",
            known_at(random)
        );
        let key = key_of_person(random);
        self.source("people", &format!("role = \"register\"\nsetting = \"primary\"\n{blank}\n{key}"), &body);
        let body = format!(
            "{person}start = {{ from = \"START\", type = \"date\" }}\nend = {{ from = \"END\", type = \"date\", optional = true }}\n\
             rooms = {{ from = \"ROOMS\", type = \"integer\", between = [1, 9], optional = true }}\n\
             birth_date = {{ from = \"BORN\", type = \"date\", optional = true }}\n\
             [demographics]\npostcode = {{ expr = \"upper(\\\"POSTCODE\\\")\" }}\n"
        );
        self.source("housing", "role = \"register\"\nsetting = \"social\"", &body);
        let key = ["key = [\"spell\"]", "key = [\"person\", \"spell\"]", ""].choose(random).unwrap();
        let on_bad = if random.random_bool(0.5) { ", on_bad = \"set_aside\"" } else { "" };
        let body = format!(
            "{person}spell = {{ from = \"SPELL\", type = \"text\", optional = true }}\n\
             date = {{ from = \"ADMIDATE\", type = \"date\", format = [\"%d/%m/%Y\", \"%Y-%m-%d\"], not_before = 1995-01-01 }}\n\
             end = {{ from = \"DISDATE\", type = \"date\", optional = true }}\n\
             {}method = {{ from = \"METHOD\", type = \"category\", map = {{ emergency = [\"21\", \"2A\"], elective = [\"11\"] }}, otherwise = \"other\", optional = true }}\n\
             diagnoses = {{ from = \"DIAG_*\", type = \"code\", system = \"icd10\"{on_bad} }}\n\
             organisation = {{ from = \"PROVIDER\", type = \"text\", optional = true }}\n\
             cost = {{ from = \"COST\", type = \"decimal\", places = 2, optional = true, on_bad = \"blank\" }}\n\
             stay = {{ expr = \"coalesce(nullif(trim(\\\"STAY\\\"), ''), '0')\", type = \"integer\", on_bad = \"blank\", optional = true }}\n\
             nights = {{ expr = \"{}\", type = \"integer\"{} }}\n\
             death_date = {{ from = \"DIED\", type = \"date\", optional = true }}\n\
             [demographics]\nethnicity = {{ from = \"ETHNICITY\", values = \"ethnicity\" }}\npostcode = {{ from = \"POSTCODE\" }}\n\
             born = {{ expr = \"CAST(\\\"BORN\\\" AS DATE)\" }}\n",
            known_at(random),
            of(random, &NIGHTS),
            of(random, &["", ", on_bad = \"blank\"", ", optional = true", ", optional = true, on_bad = \"blank\""])
        );
        self.source("spells", &format!("setting = \"acute\"\n{key}"), &body);
        let key = of(random, &["key = [\"person\", \"code\"]", "", ""]);
        self.source(
            "practice_events",
            &format!("setting = \"primary\"\n{key}"),
            &format!(
                "{person}date = {{ from = \"WHEN\", type = \"datetime\" }}\n\
                 code = {{ from = \"CODE\", type = \"code\", system = \"snomed\" }}\n\
                 value = {{ from = \"VALUE\", type = \"decimal\", places = 1, between = [0, 300], optional = true, on_bad = \"blank\" }}\n\
                 level = {{ from = \"LEVEL\", type = \"decimal\", places = 4, optional = true }}\n\
                 whole = {{ from = \"LEVEL\", type = \"integer\", optional = true, on_bad = \"blank\" }}\n"
            ),
        );
        let otherwise = if random.random_bool(0.5) { ", otherwise = \"other\"" } else { "" };
        let body = format!(
            "{person}date = {{ from = \"DAY\", type = \"date\", format = [\"%Y-%m-%d\", \"%Y-%m-%dT%H:%M:%S%z\"], not_before = 2000-01-01 }}\n{}\
             minutes = {{ from = \"MINUTES\", type = \"integer\", between = [0, 1440], optional = true }}\n\
             team = {{ from = \"TEAM\", type = \"category\", map = {{ nursing = [\"N\"], therapy = [\"T\", \"P\"] }}{otherwise}, optional = true }}\n\
             urgent = {{ from = \"URGENT\", type = \"boolean\", optional = true }}\n\
             file = {{ expr = \"left(_file, 3)\", type = \"text\" }}\n\
             [demographics]\nethnicity = {{ from = \"ETHNICITY\" }}\n",
            known_at(random)
        );
        let key = of(random, &["key = [\"person\", \"team\"]", "", ""]);
        self.source("contacts", &format!("setting = \"community\"\n{key}"), &body);
        let body = format!(
            "{person}date = {{ from = \"FROM\", type = \"date\", optional = true }}\nend = {{ from = \"UNTIL\", type = \"date\", optional = true }}\n{}\
             why = {{ from = \"WHY\", type = \"category\", map = {{ asked = [\"A\"], objection = [\"O\"] }} }}\n",
            known_at(random)
        );
        self.source("opt_outs", &format!("role = \"opt_out\"\n{}", key_of_person(random)), &body);
        self.source("feedback", &format!("role = \"feedback\"\nsetting = \"hub\"\n{}", key_of_person(random)), &format!(
            "{person}date = {{ from = \"CALLED\", type = \"date\" }}\noutcome = {{ from = \"OUTCOME\", type = \"text\", optional = true }}\n"
        ));
        let body = format!(
            "[columns]\nperson = {{ from = \"OLD\", type = \"pseudonym\"{lenient} }}\nsuperseded_by = {{ from = \"NEW\", type = \"pseudonym\"{lenient} }}\n"
        );
        self.source("superseded", "role = \"superseded\"", &body);
        self.source(
            "practices",
            "role = \"lookup\"\nrows_per_key = \"one\"\nkey = [\"practice\"]",
            "[columns]\npractice = { from = \"PRACTICE\", type = \"code\", system = \"ods\" }\npcn = { from = \"PCN\", type = \"text\", optional = true }\ndecile = { from = \"DECILE\", type = \"integer\", optional = true }\n",
        );
    }

    fn lists(&mut self) {
        let conditions = "code,category,label\nF00,dementia,Dementia\nF01,dementia,Dementia\nI50,heart,Heart failure\n\
                          I5,circulation,Circulation\nJ44,lung,COPD\nW19,fall,Fall\n";
        let problems = "code,category\n44054006,diabetes\n84114007,heart_failure\n13645005,copd\n";
        let mut lock = String::new();
        for (name, text, system, matching) in
            [("diagnoses", conditions, "icd10", "prefix"), ("problems", problems, "snomed", "exact")]
        {
            let hash = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            write!(
                lock,
                "[{name}]\nfile = \"{name}.csv\"\nsha256 = \"{hash}\"\nsystem = \"{system}\"\nmatch = \"{matching}\"\n\
                 version = \"1\"\nsource = \"invented\"\n"
            )
            .unwrap();
            self.files.insert(format!("codelists/{name}.csv"), text.to_owned());
        }
        self.files.insert("codelists/codelists.lock".to_owned(), lock);
        let values = "code,value,label,group,state\nA,A,White British,White,known\nB,B,White Irish,White,known\n\
                      M,M,Caribbean,Black,known\nK,K,Bangladeshi,Asian,known\nZ,,Not stated,,declined\n\
                      99,,Not known,,not_known\nU,,Unsure,,asked_unsure\n0,,White (1991),,outdated\n";
        let hash = Sha256::digest(values.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.files.insert("valuesets/ethnicity.csv".to_owned(), values.to_owned());
        self.files.insert(
            "valuesets/valuesets.lock".to_owned(),
            format!(
                "[ethnicity]\nfile = \"ethnicity.csv\"\nsha256 = \"{hash}\"\nversion = \"1\"\nsource = \"invented\"\n"
            ),
        );
    }

    fn features(&mut self, random: &mut ChaCha8Rng) {
        let mut text = String::from(
            "[age_years]\nlabel = \"Age\"\nage = { of = \"people\" }\n\
             [pcn]\nlabel = \"PCN\"\nvalue = { of = \"people\", column = \"pcn\" }\n\
             [decile]\nlabel = \"Decile\"\nvalue = { of = \"people\", column = \"decile\" }\n\
             [rooms]\nlabel = \"Rooms\"\nvalue = { of = \"housing\", column = \"rooms\" }\n\
             [ethnicity]\nlabel = \"Ethnicity\"\nvalue = { item = \"ethnicity\" }\n\
             [postcode]\nlabel = \"Postcode\"\nvalue = { item = \"postcode\" }\n\
             [ethnicity_state]\nlabel = \"How it is recorded\"\nvalue = { state = \"ethnicity\" }\n\
             [postcode_state]\nlabel = \"How it is recorded\"\nvalue = { state = \"postcode\" }\n\
             [cond]\nlabel = \"{category}\"\nwithin = \"ever\"\n\
             exists = { of = \"spells\", codelist = \"diagnoses\", each = \"category\" }\n\
             [problem]\nlabel = \"{category}\"\nwithin = \"3 years\"\n\
             exists = { of = \"practice_events\", codelist = \"problems\", each = \"category\" }\n\
             [spells_all]\nlabel = \"Spells\"\nwithin = \"12 months\"\ncount = { of = \"spells\" }\n\
             [cost_all]\nlabel = \"Cost\"\nwithin = \"3 years\"\ntotal = { of = \"spells\", column = \"cost\" }\n\
             [spell_on]\nlabel = \"Latest spell that has ended\"\nwithin = \"3 years\"\n\
             latest = { of = \"spells\", column = \"date\", ended = true }\n\
             [spell_end]\nlabel = \"Its end\"\nwithin = \"ever\"\nsince = \"spell_on\"\nuntil = \"spell_on\"\n\
             latest = { of = \"spells\", column = \"end\", ended = true }\n\
             [age_then]\nlabel = \"Age then\"\nage = { of = \"people\", on = \"spell_end\" }\n\
             [minutes_latest]\nlabel = \"Minutes\"\nwithin = \"ever\"\nlatest = { of = \"contacts\", column = \"minutes\" }\n",
        );
        for number in 0..random.random_range(6..16) {
            let windows: Vec<&str> = self.windows.clone();
            let several: Vec<String> =
                windows.choose_multiple(random, 2).map(|window| format!("\"{window}\"")).collect();
            let within = if random.random_bool(0.3) {
                format!("windows = [{}]", several.join(", "))
            } else {
                format!("within = {}", several[0])
            };
            let bounds = bounds(random);
            write!(text, "[f{number}]\nlabel = \"{{window}}\"\n{within}\n{bounds}{}\n", verb(random)).unwrap();
        }
        let derived = [
            "spells_all > 1 AND cond_heart",
            "coalesce(minutes_latest, 0) + spells_all * 2",
            "CASE WHEN age_years >= 65 THEN 'old' WHEN age_years IS NULL THEN NULL ELSE 'young' END",
            "cost_all / 7",
            "cost_all * 2 > minutes_latest",
            "spells_all / 2.0",
            "greatest(age_years, minutes_latest, rooms)",
            "NOT cond_lung OR ethnicity IN ('A', 'B')",
            "pcn || '-' || coalesce(ethnicity, '?')",
            "CAST(cost_all AS DOUBLE) / (1 + spells_all)",
            "decile BETWEEN 1 AND 3",
        ];
        for (number, sql) in derived.choose_multiple(random, 5).enumerate() {
            write!(text, "[d{number}]\nlabel = \"Derived\"\nderived = {{ sql = \"{sql}\" }}\n").unwrap();
        }
        self.files.insert("features/all.toml".to_owned(), text);
    }

    fn models(&mut self, random: &mut ChaCha8Rng) {
        let head = |kind: &str| {
            format!(
                "title = \"Invented\"\nkind = \"{kind}\"\nversion = \"1\"\npredicts = \"nothing\"\npopulation = \"nobody\"\n\
                 citation = \"none\"\ncard = \"card.md\"\n"
            )
        };
        let signed = "[signed_off]\nby = \"nobody\"\non = 2023-01-01\nreview_by = 2030-01-01\n";
        let mut points = "category,points,trumps\n".to_owned();
        for category in ["dementia", "heart", "circulation", "lung", "fall"] {
            let trumps = if category == "heart" && random.random_bool(0.5) { "circulation" } else { "" };
            writeln!(points, "{category},{}.{},{trumps}", random.random_range(-2..6), random.random_range(0..10))
                .unwrap();
        }
        let mut perhaps = |text: &'static str| if random.random_bool(0.5) { text } else { "" };
        let floor = perhaps("floor = 0.0\n");
        let divided = perhaps("divide_by = 3.0\n");
        let regraded =
            perhaps("[[table_sum]]\nat_least = 2.5\ncounts_as = 3\n[[table_sum]]\nat_least = 5\ncounts_as = 4.5\n");
        let applies = perhaps("applies_when = \"spell_on IS NOT NULL OR age_years > 50\"\n");
        let sum = format!(
            "{}table = \"points.csv\"\nfeature = \"cond_{{category}}\"\n{floor}{divided}{applies}{signed}{regraded}\
             [[thresholds]]\nfeature = \"cond_lung\"\nat_least = 1\npoints = 0.5\n\
             [[thresholds]]\nfeature = \"age_years\"\nat_least = 65\nbelow = 75\npoints = 1.5\n\
             [[thresholds]]\nfeature = \"cost_all\"\nat_least = 100.5\npoints = 0.125\n\
             [[bands]]\nname = \"low\"\nbelow = 3.0\n[[bands]]\nname = \"high\"\n",
            head("points")
        );
        let transforms = ["identity", "log1p", "sqrt", "square"];
        let transform = transforms.choose(random).unwrap();
        let risk = format!(
            "{}intercept = -2.5\n{}{signed}\
             [[terms]]\nfeature = \"age_then\"\ncoefficient = 0.6\nmissing = 10\nat_least = 40\nbelow = 70\n\
             [[terms]]\nfeature = \"rooms\"\ncoefficient = -0.2\nmissing = 0\nbelow = 3\n\
             [[terms]]\nfeature = \"age_years\"\ncoefficient = 0.03\nmissing = 40\n\
             [[terms]]\nfeature = \"spells_all\"\ncoefficient = 0.4\ncap = 3\ntransform = \"{transform}\"\ndivide_by = 2\n\
             [[terms]]\nfeature = \"cond_heart\"\ncoefficient = 0.7\n\
             [[terms]]\nfeature = \"cost_all\"\ncoefficient = 0.001\n",
            head("logistic"),
            if applies.is_empty() { "applies_when = \"spells_all > 0\"\n" } else { "" }
        );
        let (risk, tables) = calibrate::steps(risk, random);
        self.files.extend(tables);
        let grove = format!("{}intercept = -1.25\ntable = \"trees.csv\"\n{signed}", head("trees"));
        self.files.insert("models/grove/trees.csv".to_owned(), grow::trees(random));
        for (name, model) in [("sum", sum), ("risk", risk), ("grove", grove)] {
            self.files.insert(format!("models/{name}/model.toml"), model);
            self.files.insert(format!("models/{name}/card.md"), "Invented.\n".to_owned());
        }
        self.files.insert("models/sum/points.csv".to_owned(), points);
    }

    fn audit(&mut self, random: &mut ChaCha8Rng) {
        let rule = {
            let rules = ["most_recent", "most_frequent", "source_order"];
            let order = ["", "order = [\"spells\"]\n", "order = [\"housing\", \"spells\", \"people\"]\n"];
            format!("resolve = \"{}\"\n{}", rules.choose(random).unwrap(), order.choose(random).unwrap())
        };
        let lasts = ["", "expires = \"400 days\"\n", "expires = \"3 years\"\n", "fixed = true\n"];
        let [ethnicity, postcode] = [(); 2].map(|()| *lasts.choose(random).unwrap());
        let text = format!(
            "title = \"Gaps\"\n[items.ethnicity]\nlabel = \"Ethnicity\"\n{ethnicity}default_values = [\"X\"]\npattern = \"[A-Z]\"\nresolve = \"{}\"\n\
             [items.born]\nlabel = \"Birth date\"\ndate_not_before = 1901-01-01\nresolve = \"most_recent\"\n\
             [items.postcode]\nlabel = \"Postcode\"\n{postcode}pattern = \"[A-Z]{{2}}[0-9]\"\ndefault_values = [\"ZZ9\"]\n{}",
            ["most_recent", "most_frequent", "source_order"][usize::from(self.as_of.year() % 3 != 0)],
            rule
        );
        self.files.insert("audits/gaps.toml".to_owned(), text);
    }
}

/// Days on which a window hangs, for some of the features.
fn bounds(random: &mut ChaCha8Rng) -> String {
    let since = ["", "", "since = \"spell_on\"\n"].choose(random).unwrap();
    let end = [
        "",
        "",
        "before = \"spell_on\"\n",
        "until = \"spell_on\"\n",
        "before = \"spell_end\"\n",
        "until = \"spell_end\"\n",
    ];
    format!("{since}{}", end.choose(random).unwrap())
}

fn verb(random: &mut ChaCha8Rng) -> String {
    let over_spells = [
        "count = { of = \"spells\"",
        "count = { of = \"spells\", ended = true",
        "longest = { of = \"spells\", ended = true",
        "count_days = { of = \"spells\"",
        "exists = { of = \"spells\"",
        "days_since = { of = \"spells\"",
        "longest = { of = \"spells\"",
        "bed_days = { of = \"spells\"",
        "bed_days = { of = \"spells\", ended = true",
        "open_at_index = { of = \"spells\"",
        "total = { of = \"spells\", column = \"cost\"",
        "latest = { of = \"spells\", column = \"cost\"",
        "latest = { of = \"spells\", column = \"method\"",
        "count_distinct = { of = \"spells\", column = \"organisation\"",
        "count_distinct = { of = \"spells\", column = \"diagnoses\"",
        "total = { of = \"spells\", column = \"stay\"",
        "total = { of = \"spells\", column = \"nights\"",
    ];
    let over_contacts = [
        "count = { of = \"contacts\"",
        "count_days = { of = \"contacts\"",
        "total = { of = \"contacts\", column = \"minutes\"",
        "latest = { of = \"contacts\", column = \"urgent\"",
        "latest = { of = \"contacts\", column = \"team\"",
        "count_distinct = { of = \"contacts\", column = \"minutes\"",
    ];
    let coded = [
        "count = { of = \"spells\", codelist = \"diagnoses\"",
        "count_distinct = { of = \"spells\", codelist = \"diagnoses\"",
        "days_since = { of = \"spells\", codelist = \"diagnoses\", categories = [\"heart\", \"fall\"]",
        "exists = { of = \"spells\", codelist = \"diagnoses\", categories = [\"circulation\"]",
        "latest = { of = \"spells\", codelist = \"diagnoses\"",
        "latest = { of = \"spells\", codelist = \"diagnoses\", categories = [\"heart\", \"fall\"]",
        "latest = { of = \"practice_events\", codelist = \"problems\"",
        "count = { of = \"practice_events\", codelist = \"problems\"",
        "latest = { of = \"practice_events\", column = \"value\", codelist = \"problems\"",
        "count_days = { of = \"practice_events\"",
        "total = { of = \"practice_events\", column = \"level\"",
        "latest = { of = \"practice_events\", column = \"whole\"",
        "count = { of = \"feedback\", where = \"outcome = 'spoke'\"",
    ];
    let (verb, predicates): (&str, &[&str]) = match random.random_range(0..3) {
        0 => (over_spells.choose(random).unwrap(), &SPELLS),
        1 => (over_contacts.choose(random).unwrap(), &CONTACTS),
        _ => (coded.choose(random).unwrap(), &[]),
    };
    match predicates.choose(random).filter(|_| random.random_bool(0.7)) {
        Some(predicate) => format!("{verb}, where = \"{}\" }}", predicate.replace('"', "\\\"")),
        None => format!("{verb} }}"),
    }
}
