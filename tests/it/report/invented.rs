//! Aggregate tables as a run of a million people in 300 practices leaves them, invented.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::disclosure::{AggregateTable, Cell, Disclosed, Label, Rule};
use riskstrat::receipt::{CohortAccount, PeopleAccount};
use riskstrat::report;

const RULE: Rule = Rule::Hes2018;
const STATES: [&str; 9] =
    ["known", "conflicting", "stale", "outdated", "asked_unsure", "declined", "not_known", "invalid", "blank"];
const ITEMS: [&str; 17] = [
    "ethnicity",
    "sex",
    "gender_identity",
    "birth_date",
    "lsoa",
    "postcode_district",
    "practice",
    "language",
    "interpreter",
    "accessible_information",
    "disability",
    "sexual_orientation",
    "religion",
    "accommodation",
    "carer",
    "lives_alone",
    "learning_disability",
];
const SOURCES: [&str; 8] = [
    "people",
    "admissions",
    "attendances",
    "outpatients",
    "community_contacts",
    "social_care",
    "urgent_calls",
    "screening",
];
const FIGURES: [(&str, &str, &str); 6] = [
    ("listed", "On a list", "people with a place on any list, of everyone"),
    ("admitted", "Emergency admission", "people with an emergency admission in the last 12 months, of everyone"),
    ("high_risk", "High risk", "people above the cut of the risk score, of everyone it is about"),
    ("screened", "Bowel screening", "people screened, of those invited"),
    ("most_deprived", "Most deprived fifth", "people in the most deprived fifth of areas, of everyone"),
    ("recorded", "Ethnicity recorded", "known: ethnicity"),
];
const COHORTS: u32 = 16;
const MODEL: &str = "demo_emergency_admission";

/// One of every table that the page reads, from a seed.
pub fn tables(seed: u64) -> Vec<AggregateTable> {
    let mut invented = Invented { random: ChaCha8Rng::seed_from_u64(seed), tables: Vec::new() };
    invented.counts_of_the_run();
    invented.gaps();
    invented.evidence();
    invented.figures();
    invented.funnel_and_trend();
    invented.lists();
    invented.models();
    invented.tables
}

struct Invented {
    random: ChaCha8Rng,
    tables: Vec<AggregateTable>,
}

enum Is<'a> {
    Text(&'a str),
    Count(u64),
    Share(u64, u64),
    Figure(f64, u64),
    Nothing,
}

use Is::{Count, Figure, Nothing, Share, Text};

fn cell(is: &Is) -> Cell {
    let shown = |disclosed: Disclosed| Cell::Count(disclosed);
    match is {
        Text(text) => Cell::Text(Label::new(*text)),
        Count(count) => shown(RULE.count(*count)),
        Share(part, whole) => shown(RULE.share(*part, *whole)),
        Figure(value, behind) => shown(RULE.figure(*value, &[*behind])),
        Nothing => Cell::Empty,
    }
}

/// A group of a split: its name, and how many people are of it.
fn splits() -> Vec<(&'static str, Vec<(String, u64)>)> {
    let practices = (0..300).map(|number| (format!("Y{number:05}"), 500 + (number * 37) % 6000));
    let pcns = (0..60).map(|number| (format!("U{number:05}"), 9000 + (number * 577) % 16_000));
    let deciles = (1..=10).map(|decile| (decile.to_string(), 90_000 + decile * 900));
    let named = |names: &[(&str, u64)]| names.iter().map(|(name, people)| ((*name).to_owned(), *people)).collect();
    let ethnic = [
        ("Asian or Asian British: Bangladeshi", 21_000),
        ("Asian or Asian British: Indian", 48_000),
        ("Asian or Asian British: Pakistani", 37_000),
        ("Black or Black British: African", 29_000),
        ("Black or Black British: Caribbean", 17_000),
        ("Mixed: White and Black Caribbean", 9000),
        ("Other Ethnic Groups: Any other ethnic group", 15_000),
        ("White: British", 690_000),
        ("White: Gypsy or Irish Traveller", 5),
    ];
    let mut splits = vec![
        ("practice", practices.collect()),
        ("pcn", pcns.collect()),
        ("imd_decile", deciles.collect()),
        ("sex", named(&[("female", 505_000), ("male", 488_000)])),
        ("ethnicity", named(&ethnic)),
    ];
    for (_, groups) in &mut splits {
        let groups: &mut Vec<(String, u64)> = groups;
        groups.push(("not recorded".to_owned(), 12_400));
    }
    splits
}

impl Invented {
    fn table(&mut self, name: &str, header: &str, rows: &[Vec<Is>]) {
        let mut table = AggregateTable::new(name, header.split(','));
        rows.iter().for_each(|row| table.row(row.iter().map(cell)).unwrap());
        self.tables.push(table);
    }

    /// So many of the people, about `percent` of them.
    fn some(&mut self, people: u64, percent: f64) -> u64 {
        let around = percent * self.random.random_range(0.6..1.4);
        ((people as f64 * around / 100.0) as u64).min(people)
    }

    fn counts_of_the_run(&mut self) {
        let run = PeopleAccount {
            in_registers: 1_079_907,
            on_spine: 1_000_003,
            opted_out: 31_000,
            died: 9800,
            left: 39_100,
            not_yet: 4,
            test_people: 0,
        };
        let cohort = |number: u64| CohortAccount {
            cohort: format!("cohort_{number}"),
            scored: 1_000_003,
            listed: number * number * 7,
            reserve: number * 40,
            below_the_cut: 900,
            not_included: 999_103 - number * number * 7 - number * 40,
            ..CohortAccount::default()
        };
        let cohorts: Vec<CohortAccount> = (0..u64::from(COHORTS)).map(cohort).collect();
        self.tables.push(report::run::people(RULE, &run).unwrap());
        self.tables.push(report::run::lists(RULE, &cohorts, 14_230).unwrap());
        self.table("about", "term,means", &[vec![Text("known"), Text("a valid value is recorded")]]);
    }

    fn gaps(&mut self) {
        let mut table =
            AggregateTable::new("recording_gaps", "audit,item,source,split,group,people,state,count,share".split(','));
        let mut add = |random: &mut ChaCha8Rng, item: &str, source: &str, split: &str, group: &str, people: u64| {
            let mut left = people;
            let no_record = if source == "all sources" { 0 } else { people / 4 };
            let states = STATES.iter().rev().map(|state| (*state, true)).chain([("no_record", false)]);
            for (state, of_record) in states {
                let count = match state {
                    "no_record" => no_record,
                    "known" => left.saturating_sub(no_record),
                    _ => (left as f64 * random.random_range(0.0..0.03)) as u64,
                };
                left -= if of_record { count.min(left) } else { 0 };
                if of_record || source != "all sources" {
                    let cells = [
                        Text("recording_gaps"),
                        Text(item),
                        Text(source),
                        Text(split),
                        Text(group),
                        Count(people),
                        Text(state),
                        Count(count),
                        Share(count, people),
                    ];
                    table.row(cells.iter().map(cell)).unwrap();
                }
            }
        };
        for item in ITEMS {
            add(&mut self.random, item, "all sources", "everyone", "everyone", 1_000_003);
            for source in SOURCES {
                add(&mut self.random, item, source, "everyone", "everyone", 1_000_003);
            }
            for (split, groups) in splits() {
                for (group, people) in groups {
                    add(&mut self.random, item, "all sources", split, &group, people);
                }
            }
        }
        self.tables.push(table);
    }

    fn evidence(&mut self) {
        let (mut dqmi, mut other) = (Vec::new(), Vec::new());
        let practices: Vec<String> = (0..300).map(|number| format!("Y{number:05}")).collect();
        for source in SOURCES {
            dqmi.push(vec![
                Text(source),
                Text("all providers"),
                Text("all items"),
                Count(900_000),
                Count(800_000),
                Count(20_000),
                Nothing,
                Figure(self.random.random_range(40.0..99.0), 1000),
                Figure(98.5, 1000),
            ]);
            for practice in &practices {
                dqmi.push(vec![
                    Text(source),
                    Text(practice),
                    Text("ethnicity"),
                    Count(3000),
                    Count(2900),
                    Count(40),
                    Text("3.5 %"),
                    Figure(94.0, 1000),
                    Figure(99.0, 1000),
                ]);
            }
        }
        for practice in practices.iter().step_by(9) {
            other.push(vec![
                Text("ethnicity"),
                Text("people"),
                Text(practice),
                Count(3000),
                Text("other_category"),
                Count(900),
                Share(900, 3000),
                Text("above the limit of 10 %"),
            ]);
        }
        self.table(
            "dqmi",
            "source,provider,item,records,valid_and_complete,defaults,defaults_allowed,item_score,coverage",
            &dqmi,
        );
        self.table("recording_by_provider", "item,source,provider,records,state,count,share,finding", &other);
        let mut pathways = Vec::new();
        for pathway in ["cancer", "urgent_and_emergency", "community", "social_care", "screening"] {
            for item in ITEMS {
                let unbroken = self.some(40_000, 60.0);
                pathways.push(vec![
                    Text("recording_gaps"),
                    Text(pathway),
                    Text("whole pathway"),
                    Text(""),
                    Text(item),
                    Count(40_000),
                    Text("unbroken"),
                    Count(unbroken),
                    Share(unbroken, 40_000),
                ]);
            }
        }
        self.table("pathways", "audit,pathway,step,source,item,people,state,count,share", &pathways);
        let row = |item| {
            vec![
                Text(item),
                Text("people"),
                Text("admissions"),
                Text("any value"),
                Text("another"),
                Count(5000),
                Share(5000, 300_000),
            ]
        };
        let rows: Vec<Vec<Is>> = ITEMS.iter().map(|item| row(item)).collect();
        self.table("disagreement", "item,source_a,source_b,value_a,value_b,people,share", &rows);
        let row =
            |item| vec![Text(item), Count(700_000), Count(9000), Share(9000, 700_000), Count(3), Share(3, 700_000)];
        let rows: Vec<Vec<Is>> = ITEMS.iter().map(|item| row(item)).collect();
        self.table("flips", "item,people,changed,share_changed,went_back,share_went_back", &rows);
        let row =
            |item| vec![Text(item), Text("most_recent"), Text("not recorded"), Count(7000), Count(6990), Count(3)];
        let rows: Vec<Vec<Is>> = ITEMS.iter().map(|item| row(item)).collect();
        self.table("resolution", "item,declared,group,most_recent,most_frequent,source_order", &rows);
        let ethnic = splits().swap_remove(4).1;
        let row = |name, rows: u64| {
            let linked = rows * 19 / 20;
            vec![
                Text("admissions"),
                Text("ethnicity"),
                Text(name),
                Count(rows),
                Count(linked),
                Share(linked, rows),
                Count(rows / 20),
                Count(9),
            ]
        };
        let rows: Vec<Vec<Is>> = ethnic.iter().map(|(name, people)| row(name.as_str(), *people)).collect();
        self.table("linkage", "source,split,group,rows,linked,share_linked,not_linked,outside_life", &rows);
        let row = |name, people: u64| {
            vec![
                Text("ethnicity"),
                Text(name),
                Count(people),
                Count(people / 90),
                Share(people / 90, people),
                Count(people / 900),
                Share(people / 900, people),
            ]
        };
        let rows: Vec<Vec<Is>> = ethnic.iter().map(|(name, people)| row(name.as_str(), *people)).collect();
        let header = "split,group,people,one_conflict,share_one,several_conflicts,share_several";
        self.table("false_links", header, &rows);
        let row = |item| vec![Text(item), Count(900), Count(300), Share(300, 900), Count(590), Count(10), Count(4)];
        let rows: Vec<Vec<Is>> = ITEMS.iter().map(|item| row(item)).collect();
        self.table("mended", "item,open_before,mended,share_mended,still_open,gone,new", &rows);
    }

    fn figures(&mut self) {
        let rows: Vec<Vec<Is>> = FIGURES
            .iter()
            .map(|(name, label, meaning)| vec![Text(name), Text(label), Text("everyone"), Text(meaning)])
            .collect();
        self.table("figures", "figure,label,about,counts", &rows);
        let (mut figures, mut bounds, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
        let splits = splits();
        for (figure, ..) in FIGURES {
            let percent = |value: f64, people| {
                [Figure(value, people), Figure((value - 1.0).max(0.0), people), Figure(value + 1.0, people)]
            };
            let mut row = |split, group, people, measure, values: [Is<'static>; 3]| {
                let head = [Text(figure), Text(split), Text(group), Count(people), Count(people / 9), Text(measure)];
                figures.push(head.into_iter().chain(values).collect::<Vec<Is>>());
            };
            row("everyone", "everyone", 1_000_003, "percent", percent(12.0, 1_000_003));
            for (split, groups) in &splits {
                for (group, people) in groups {
                    let value = self.random.random_range(3.0..30.0);
                    row(*split, group, *people, "percent", percent(value, *people));
                    row(*split, group, *people, "age-standardised percent", percent(value + 0.4, *people));
                    row(*split, group, *people, "standardised ratio", percent(value / 12.0, *people));
                    bounds.push(vec![
                        Text(figure),
                        Text(split),
                        Text(group),
                        Text("White: British"),
                        Text("difference"),
                        Figure(value - 12.0, *people),
                        Figure(value - 15.0, *people),
                        Figure(value - 10.0, *people),
                        Figure(value - 11.8, *people),
                    ]);
                    bounds.push(vec![
                        Text(figure),
                        Text(split),
                        Text(group),
                        Nothing,
                        Text("percent"),
                        Figure(value, *people),
                        Figure((value - 3.0).max(0.0), *people),
                        Figure(value + 2.0, *people),
                        Figure(value + 0.2, *people),
                    ]);
                }
            }
            row("imd_decile", "all groups", 1_000_003, "slope index", percent(-3.4, 1000));
            bounds.push(vec![
                Text(figure),
                Text("imd_decile"),
                Text("all groups"),
                Nothing,
                Text("slope index"),
                Figure(-3.4, 1000),
                Figure(-9.0, 1000),
                Figure(2.0, 1000),
                Figure(-3.2, 1000),
            ]);
            for item in ITEMS {
                for (group, people, value) in [("recorded", 980_000, 12.0), ("not recorded", 20_003, 19.0)] {
                    hidden.push(vec![
                        Text(figure),
                        Text(item),
                        Text(group),
                        Count(people),
                        Count(people / 9),
                        Text("percent"),
                        Figure(value, people),
                        Figure(value - 1.0, people),
                        Figure(value + 1.0, people),
                    ]);
                }
            }
        }
        self.table("inequality_figures", "figure,split,group,people,counted,measure,value,low,high", &figures);
        self.table("bounds", "figure,split,group,compared_with,measure,value,lowest,highest,at_random", &bounds);
        self.table("hidden", "figure,item,group,people,counted,measure,value,low,high", &hidden);
    }

    fn funnel_and_trend(&mut self) {
        let (mut funnel, mut trend) = (Vec::new(), Vec::new());
        let practices = splits().swap_remove(0).1;
        let dates: Vec<String> = (1..=12).map(|month| format!("2025-{month:02}-01")).collect();
        for (figure, ..) in FIGURES {
            for (practice, people) in &practices {
                let wide = 300.0 / (*people as f64).sqrt();
                let value = 12.0 + self.random.random_range(-1.6..1.6) * wide;
                let finding = if value > 12.0 + 1.5 * wide { "higher than 99.8 % limits" } else { "" };
                let figures = [
                    value.max(0.0),
                    12.0,
                    (12.0 - wide).max(0.0),
                    12.0 + wide,
                    (12.0 - 1.5 * wide).max(0.0),
                    12.0 + 1.5 * wide,
                ];
                let head = [Text(figure), Text("practice"), Text(practice), Count(*people), Count(people / 8)];
                let figures = figures.map(|figure| Figure(figure, *people));
                funnel.push(head.into_iter().chain(figures).chain([Text(finding)]).collect());
            }
            for (number, date) in dates.iter().enumerate() {
                let value = 12.0 + self.random.random_range(-1.0..1.0) + if number == 11 { 4.0 } else { 0.0 };
                let finding = if number == 11 { "outside the limits" } else { "" };
                let people = if number == 4 { 3 } else { 1000 };
                let figures = [value, 12.2, 10.1, 14.3].map(|figure| Figure(figure, people));
                trend.push([Text(figure), Text(date)].into_iter().chain(figures).chain([Text(finding)]).collect());
            }
        }
        let header = "figure,split,group,people,counted,percent,average,low_95,high_95,low_998,high_998,finding";
        self.table("funnel", header, &funnel);
        self.table("trend", "figure,as_of,value,mean,low,high,finding", &trend);
    }

    fn lists(&mut self) {
        let (mut any, mut each) = (Vec::new(), Vec::new());
        let names: Vec<String> = (0..COHORTS).map(|number| format!("cohort_{number}")).collect();
        let splits = splits();
        for (split, groups) in &splits {
            for (group, people) in groups {
                let listed = self.some(*people, 1.4);
                any.push(vec![Text(split), Text(group), Count(*people), Count(listed), Share(listed, *people)]);
            }
            for name in &names {
                for (group, people) in groups {
                    let listed = self.some(*people, 0.2);
                    each.push(vec![
                        Text(name),
                        Text(split),
                        Text(group),
                        Count(*people),
                        Count(listed),
                        Share(listed, *people),
                    ]);
                }
            }
        }
        self.table("inequality", "split,group,people,listed,share_listed", &any);
        self.table("list_equity", "cohort,split,group,people,listed,share_listed", &each);
    }

    fn models(&mut self) {
        let measures =
            [("AUROC", 0.76), ("observed over expected", 1.02), ("calibration slope", 0.97), ("Brier score", 0.09)];
        let row = |measure, value| {
            let head = [Text(MODEL), Text("everyone"), Text("everyone"), Count(200_000), Count(20_000), Text(measure)];
            head.into_iter().chain([value, value - 0.01, value + 0.01].map(|value| Figure(value, 1000))).collect()
        };
        let mut rows: Vec<Vec<Is>> = measures.iter().map(|(measure, value)| row(measure, *value)).collect();
        rows.push(vec![
            Text(MODEL),
            Text("sex"),
            Text("female"),
            Count(100_000),
            Count(9000),
            Text("observed over expected"),
            Figure(1.1, 1000),
            Figure(1.0, 1000),
            Figure(1.2, 1000),
        ]);
        self.table("model_performance", "model,split,group,people,with_outcome,measure,value,low,high", &rows);
        let row = |tenth: u64| {
            let observed = if tenth == 0 { 3 } else { tenth * tenth * 90 };
            let predicted = tenth as f64 * tenth as f64 * 0.0044;
            vec![
                Text(MODEL),
                Text("everyone"),
                Text("everyone"),
                Count(20_000),
                Figure(predicted, 20_000),
                Count(observed),
                Share(observed, 20_000),
            ]
        };
        let rows: Vec<Vec<Is>> = (0..10).map(row).collect();
        self.table("model_calibration", "model,split,group,people,predicted,with_outcome,observed", &rows);
        let rows = [("(score)", 0.04), ("age_years", 0.012)];
        let rows: Vec<Vec<Is>> =
            rows.iter().map(|(input, psi)| vec![Text(MODEL), Text(input), Figure(*psi, 1000), Text("yes")]).collect();
        self.table("model_drift", "model,input,psi,can_stop_the_run", &rows);
        let row = vec![Text(MODEL), Text("low"), Text("high"), Count(1200), Count(1200), Count(0)];
        self.table("score_movement", "model,band_last_run,band_this_run,people,rose,fell", &[row]);
    }
}
