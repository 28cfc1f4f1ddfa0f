//! Code lists, value sets and models stand as reviewed, or not at all.

use super::Folder;

#[test]
fn a_changed_code_list_stops_the_run_until_it_is_reviewed() {
    let folder = Folder::new();
    folder.add("models/codelists/conditions.csv", "J44,copd,COPD\n");
    let problems = folder.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].file.as_str(), problems[0].line), ("../models/codelists/codelists.lock", Some(3)));
    assert_eq!(problems[0].message, "`conditions.csv` has changed since it was reviewed");
    folder.review();
    assert!(folder.load().is_ok());
    folder.write("models/valuesets/valuesets.lock", "");
    assert_eq!(folder.problems()[0].message, "`ethnic.csv` is not in the lock: nobody has reviewed it");
}

#[test]
fn a_code_in_two_categories_of_an_exclusive_list_is_a_problem() {
    let folder = Folder::new();
    folder.add("models/codelists/conditions.csv", "I50,diabetes,\n");
    folder.review();
    assert!(folder.load().is_ok());
    folder.edit("models/codelists/codelists.lock", "match = \"prefix\"", "match = \"prefix\"\nexclusive = true");
    assert_eq!(
        folder.places(),
        [
            "../models/codelists/conditions.csv:4: an exclusive list has this code in another category on line 2 @ I50,diabetes"
        ]
    );
}

#[test]
fn a_model_without_a_card_or_with_wrong_points_is_refused() {
    let folder = Folder::new();
    folder.write("models/points/card.md", " \n");
    folder.write("models/points/points.csv", "category,points,trumps\nheart_failure,two,diabete\ndiabetis,0.5,\n");
    let messages: Vec<String> = folder.problems().into_iter().map(|problem| problem.message).collect();
    assert_eq!(
        messages,
        [
            "`card.md` is empty",
            "`points` is a number with at most 3 decimal places",
            "`heart_failure` trumps no other category `diabete`",
            "there is no feature `had_diabetis_3y`",
        ]
    );
}
