//! What becomes of rows of the future, of nobody, of a failing expression: small tables worked out by hand.

use std::collections::BTreeMap;
use std::fs;

use riskstrat::conform::Engine;
use riskstrat::link::RecordingState;
use riskstrat::oracle::value::Value;
use riskstrat::oracle::{self, OracleOutcome};
use riskstrat::pipeline::Pipeline;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::receipt::SourceAccount;
use riskstrat::source::{self, Delivered};
use tempfile::TempDir;

const PERSON: &str = "person = { from = \"token\", type = \"pseudonym\", on_bad = \"blank\" }\n";

/// A run as of 30 June 2026 over a register, spells and an opt-out list.
struct Table {
    register: (&'static str, &'static str),
    spells: (&'static str, &'static str),
    opt_outs: (&'static str, &'static str),
}

/// Two people and nothing more.
const PLAIN: Table = Table {
    register: ("[columns]\n", "token\na\nb\n"),
    spells: ("[columns]\ndate = { from = \"day\", type = \"date\" }\n", "token,day\n"),
    opt_outs: ("[columns]\n", "token\n"),
};

impl Table {
    fn write(&self) -> (TempDir, Pipeline, Delivered) {
        let folder = tempfile::tempdir().unwrap();
        let save = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let sources = [
            ("register", "register", self.register),
            ("spells", "events", self.spells),
            ("opt_outs", "opt_out", self.opt_outs),
        ];
        for (name, role, (body, rows)) in sources {
            let head = format!(
                "title = \"T\"\nrole = \"{role}\"\none_row_is = \"one row\"\nfiles = \"{name}.csv\"\n\
                 legal_basis = \"invented\"\nmay_be_empty = true\nmax_bad_share = 1.0\n"
            );
            let (before, after) = body.split_once("[columns]\n").unwrap();
            save(&format!("sources/{name}.toml"), &format!("{head}{before}[columns]\n{PERSON}{after}"));
            save(&format!("{name}.csv"), rows);
        }
        save("features/all.toml", "[spells_all]\nlabel = \"Spells\"\nwithin = \"ever\"\ncount = { of = \"spells\" }\n");
        save(
            "audits/all.toml",
            "title = \"A\"\n[items.language]\nlabel = \"Language\"\npattern = \"[A-Z][a-z]+\"\nresolve = \"most_recent\"\n",
        );
        let run = "title = \"By hand\"\ndeliveries = \".\"\nas_of = 2026-06-30\nsources = [\"register\", \"spells\", \
                   \"opt_outs\"]\nfeatures = [\"all\"]\naudits = [\"all\"]\n";
        save("run.toml", run);
        let pipeline = match parse::load(&folder.path().join("run.toml"), &LoadOptions::default()) {
            Ok(pipeline) => pipeline,
            Err(error) => panic!("{error}"),
        };
        let delivered = source::find(&pipeline).unwrap();
        (folder, pipeline, delivered)
    }

    fn made(&self) -> Made {
        let (_folder, pipeline, delivered) = self.write();
        Made(oracle::compute(&pipeline, &delivered, None).unwrap())
    }
}

struct Made(OracleOutcome);

impl Made {
    fn account(&self, source: &str) -> &SourceAccount {
        self.0.accounts.iter().find(|account| account.source == source).unwrap()
    }

    /// Counts of reasons for being set aside, or of what was blanked.
    fn reasons(&self, source: &str) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
        let account = self.account(source);
        let counts = |reasons: &[riskstrat::receipt::Reason]| {
            reasons.iter().map(|reason| (format!("{}: {}", reason.column, reason.rule), reason.count)).collect()
        };
        (counts(&account.set_aside_reasons), counts(&account.blanked))
    }

    fn spine(&self) -> Vec<&str> {
        self.0.people.keys().map(String::as_str).collect()
    }

    fn spells(&self, token: &str) -> Option<&Value> {
        self.0.people[token].features[0].as_ref()
    }

    fn language(&self, token: &str) -> Option<&str> {
        self.0.people[token].items[0].0.as_deref()
    }
}

fn counted(reasons: &[(&str, u64)]) -> BTreeMap<String, u64> {
    reasons.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
}

/// One spell with three rows, the last recorded of them dated after the run; an opt-out renewed from tomorrow on.
const FUTURE: Table = Table {
    register: (
        "key = [\"person\"]\n[columns]\ndate = { from = \"day\", type = \"date\" }\nend = { from = \"end\", type = \"date\", optional = true }\n",
        "token,day,end\na,2026-01-01,\na,2026-07-01,2026-02-01\na,2026-06-30,2026-02-01\nb,2026-01-01,\nc,2026-01-01,2026-02-01\nc,2026-07-01,\n",
    ),
    spells: (
        "key = [\"spell\"]\n[columns]\nspell = { from = \"spell\", type = \"text\" }\ndate = { from = \"day\", type = \"date\" }\n\
         recorded = { from = \"recorded\", type = \"date\" }\n",
        "token,spell,day,recorded\na,1,2026-01-01,2026-01-02\na,1,2026-01-05,2026-01-06\na,1,2026-06-30,2026-06-29\na,1,2026-08-01,2026-06-29\n",
    ),
    opt_outs: (
        "key = [\"person\"]\n[columns]\ndate = { from = \"day\", type = \"date\" }\n",
        "token,day\nb,2026-06-30\nb,2026-07-01\na,2026-07-01\na,2026-07-02\n",
    ),
};

#[test]
fn rows_of_the_future_are_nobodys_duplicates() {
    let made = FUTURE.made();
    assert_eq!(made.spine(), ["a"]);
    let spells = made.account("spells");
    assert_eq!((spells.used, spells.duplicates, spells.future), (1, 1, 2));
    assert_eq!(made.spells("a"), Some(&Value::Int(1)));
    assert_eq!(spells.data_up_to.as_deref(), Some("2026-01-05"));
    let register = made.account("register");
    assert_eq!((register.used, register.duplicates, register.future, register.off_spine), (1, 0, 3, 2));
    let opt_outs = made.account("opt_outs");
    assert_eq!((opt_outs.used, opt_outs.duplicates, opt_outs.future), (1, 0, 3));
}

const NOBODY: Table = Table {
    register: ("[columns]\n", "token\na\n \n0000000000\nx y\n"),
    spells: ("[columns]\ndate = { from = \"day\", type = \"date\" }\n", "token,day\nNULL,2026-01-01\na,2026-01-01\n"),
    opt_outs: (
        "[columns]\ndate = { from = \"day\", type = \"date\", optional = true }\n",
        "token,day\n0000,2026-01-01\n",
    ),
};

#[test]
fn a_row_about_nobody_is_set_aside_whatever_is_declared() {
    let made = NOBODY.made();
    assert_eq!(made.spine(), ["a"]);
    let (set_aside, blanked) = made.reasons("register");
    assert_eq!(set_aside, counted(&[("person: blank token", 3)]));
    assert_eq!(blanked, counted(&[("person: blank token", 1), ("person: malformed token", 1)]));
    assert_eq!(made.reasons("spells").0, counted(&[("person: blank token", 1)]));
    assert_eq!(made.reasons("opt_outs").0, counted(&[("person: blank token", 1)]));
    assert_eq!(made.account("opt_outs").data_up_to, None);
}

/// A row with a day that is none still says who opted out; the newest row of the list is about somebody unknown.
const OPT_OUTS: Table = Table {
    opt_outs: (
        "[columns]\ndate = { from = \"day\", type = \"date\", optional = true }\nrecorded = { from = \"recorded\", type = \"date\", optional = true }\n",
        "token,day,recorded\na,31/01/2026,2026-06-01\nnobody,2026-05-01,2026-05-02\nnobody,,2026-05-03\nnobody,2026-07-01,2026-05-09\n",
    ),
    ..PLAIN
};

#[test]
fn an_opt_out_that_is_set_aside_counts() {
    let made = OPT_OUTS.made();
    assert_eq!(made.spine(), ["b"]);
    assert_eq!(made.0.people_account.opted_out, 1);
    let account = made.account("opt_outs");
    assert_eq!((account.set_aside, account.not_linked, account.used), (1, 3, 0));
    assert_eq!(account.data_up_to.as_deref(), Some("2026-05-03"));
}

/// Rows that differ in what they say about the person alone; the greatest text wins.
const TIES: Table = Table {
    spells: (
        "key = [\"spell\"]\n[columns]\nspell = { from = \"spell\", type = \"text\" }\ndate = { from = \"day\", type = \"date\" }\n\
         [demographics]\nlanguage = { from = \"language\" }\n",
        "token,spell,day,language\na,1,2026-01-01,Urdu\na,1,2026-01-01,Welsh\na,1,2026-01-01,\na,1,2026-01-01, Polish\nb,2,2026-01-01,NULL\nb,2,2026-01-01,Arabic\n",
    ),
    ..PLAIN
};

#[test]
fn a_tie_is_settled_by_what_rows_say_about_the_person() {
    let made = TIES.made();
    assert_eq!(made.account("spells").duplicates, 4);
    assert_eq!((made.language("a"), made.language("b")), (Some("Welsh"), Some("Arabic")));
}

const FAILING: Table = Table {
    spells: (
        "[columns]\ndate = { from = \"day\", type = \"date\", format = [\"%Y-%m-%d\", \"%Y-%m-%dT%H:%M:%S%z\"] }\n\
         required = { expr = \"CAST(\\\"n\\\" AS BIGINT)\", type = \"integer\" }\n\
         blanked = { expr = \"60 / CAST(\\\"n\\\" AS BIGINT)\", type = \"integer\", on_bad = \"blank\", optional = true }\n\
         [demographics]\nlanguage = { expr = \"CASE WHEN CAST(\\\"m\\\" AS BIGINT) = 1 THEN 'Welsh' END\" }\n",
        "token,day,n,m\na,2026-01-01,6,1\na,2026-01-01,0,1\na,2026-01-01,six,1\nb,2026-06-29T23:30:00+0000,1,one\nb,2026-06-30T00:30:00+0200,1,\n",
    ),
    ..PLAIN
};

#[test]
fn a_failing_expression_is_a_bad_value_of_its_row() {
    let made = FAILING.made();
    let (set_aside, blanked) = made.reasons("spells");
    assert_eq!(set_aside, counted(&[("required: the expression failed", 1)]));
    let failed = [("blanked: the expression failed", 2), ("language: the expression failed", 2)];
    assert_eq!(blanked, counted(&failed));
    assert_eq!(made.spells("a"), Some(&Value::Int(2)));
    assert_eq!(made.language("a"), Some("Welsh"));
    assert_eq!(made.0.people["b"].items[0], (None, RecordingState::Blank));
    assert_eq!(made.0.items_not_checked, BTreeMap::new());
}

#[test]
fn a_date_with_an_offset_is_londons_day() {
    // Half past eleven at night in UTC is the as-of date in London, half past midnight in Paris is the day before it.
    let made = FAILING.made();
    let spells = made.account("spells");
    assert_eq!((spells.future, spells.data_up_to.as_deref()), (1, Some("2026-06-29")));
    assert_eq!(made.spells("b"), Some(&Value::Int(1)));
}

#[test]
fn the_engine_agrees_on_every_table() {
    let mut found = Vec::new();
    for (name, table) in
        [("future", FUTURE), ("nobody", NOBODY), ("opt-outs", OPT_OUTS), ("ties", TIES), ("failing", FAILING)]
    {
        let (_folder, pipeline, delivered) = table.write();
        let outcome = oracle::compute(&pipeline, &delivered, None).unwrap();
        for batch_rows in [1, 8192] {
            let cut = Engine::of(2, batch_rows);
            match super::differences(&pipeline, &delivered, &outcome, cut) {
                Ok(lines) => found.extend(lines.into_iter().map(|line| format!("{name}: {line}"))),
                Err(error) => found.push(format!("{name}: {error}")),
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
