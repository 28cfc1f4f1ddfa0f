//! What an audit says of pathways, linkage, expiry and recorders is checked against everything else.

use super::{Folder, one};

const AUDIT: &str = "pipelines/audits/gaps.toml";

/// The audit with something more; what is said about it.
fn with(more: &str) -> String {
    let folder = Folder::new();
    folder.add(AUDIT, more);
    folder.problems().iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn a_pathway_names_sources_and_columns_that_are_there() {
    let pathway =
        |steps: &str| format!("\n[pathways.care]\ntitle = \"Care\"\nwithin = \"1 year\"\nsteps = [{steps}]\n");
    let good = "{ title = \"Stay\", source = \"admissions\" }";
    assert!(with(&pathway(good)).contains("`care` needs at least two steps"));
    let unknown = with(&pathway(&format!("{good}, {{ title = \"Visit\", source = \"admission\" }}")));
    assert!(unknown.contains("the run has no source `admission`") && unknown.contains("did you mean `admissions`"));
    let lookup = with(&pathway(&format!("{good}, {{ title = \"Visit\", source = \"practices\" }}")));
    assert!(lookup.contains("`practices` has the role"), "{lookup}");
    let column = format!("{good}, {{ title = \"Again\", source = \"admissions\", where = \"methd = 'x'\" }}");
    let column = with(&pathway(&column));
    assert!(column.contains("methd") && column.contains('^'), "{column}");
    let window = with(&pathway(&format!("{good}, {good}")).replace("1 year", "a year"));
    assert!(window.contains("is no window"), "{window}");
}

#[test]
fn linkage_compares_by_what_rows_say() {
    let unknown = with("\n[linkage]\nby = [\"ethnicty\"]\nidentity = [\"born\"]\n");
    assert!(
        unknown.contains("ethnicty") && unknown.contains("no audit of the run declares the item `born`"),
        "{unknown}"
    );
    let worked_out = with("\n[linkage]\nby = [\"age_band\"]\n");
    assert!(worked_out.contains("rows do not say `age_band`"), "{worked_out}");
}

#[test]
fn limits_of_an_item_make_sense() {
    let item = |more: &str| one(AUDIT, "resolve = \"most_recent\"", &format!("resolve = \"most_recent\"\n{more}"));
    assert!(item("expires = \"soon\"").contains("soon"));
    assert!(item("expires = \"2 years\"\nfixed = true").contains("what never changes does not expire"));
    assert!(item("defaults_allowed = 3.5").contains("a share is between 0 and 1"));
    assert!(item("other = { values = [], at_most = 0.1 }").contains("no value is named"));
    assert!(item("other = { values = [\"C\"], at_most = 10 }").contains("a share is between 0 and 1"));
}

#[test]
fn who_recorded_a_row_stands_in_a_column_of_one_word() {
    let source = "pipelines/sources/admissions.toml";
    let recorder = |name: &str| one(source, "[columns]", &format!("recorded_by = \"{name}\"\n[columns]"));
    assert!(recorder("provder").contains("has no column `provder`"));
    assert!(recorder("diagnoses").contains("it is no single text or code"), "{}", recorder("diagnoses"));
}
