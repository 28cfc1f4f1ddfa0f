//! LibreOffice opens a list with every token as it was, and runs nothing.

use std::path::Path;
use std::process::Command;

use riskstrat::pipeline::decl::ListFormat;

use super::formats::{NASTY, nasty_sheet};

/// What LibreOffice shows of a file, sheet by sheet, as CSV with the texts as displayed; none where it is not installed.
fn opened(folder: &Path, name: &str, bytes: &[u8]) -> Option<Vec<Vec<String>>> {
    std::fs::write(folder.join(name), bytes).unwrap();
    let every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1";
    let profile = format!("-env:UserInstallation=file://{}/profile", folder.display());
    let mut command = Command::new("soffice");
    command.args([profile.as_str(), "--headless", "--convert-to", every_sheet, "--outdir"]).arg(folder.join("out"));
    // A person is asked for the encoding, with UTF-8 offered for the mark; without a window it must be said.
    if name.ends_with(".csv") {
        command.arg("--infilter=CSV:44,34,76,1");
    }
    match command.arg(folder.join(name)).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: soffice is not installed");
            return None;
        }
        output => assert!(output.unwrap().status.success()),
    }
    let sheet = |end: &str| folder.join("out").join(format!("{}{end}.csv", name.split('.').next().unwrap()));
    let path = [sheet("-List"), sheet("-list")].into_iter().find(|path| path.exists()).unwrap();
    Some(riskstrat::publish::read_csv(&std::fs::read(path).unwrap()))
}

#[test]
fn a_spreadsheet_keeps_tokens_and_runs_no_formula() {
    let sheet = nasty_sheet();
    let bytes = |format| sheet.files(format).unwrap().remove(0).bytes;
    let folder = tempfile::tempdir().unwrap();
    let persons = sheet.persons().unwrap();
    let Some(workbook) = opened(folder.path(), "book.xlsx", &bytes(ListFormat::Xlsx)) else { return };
    let Some(text) = opened(folder.path(), "list.csv", &bytes(ListFormat::Csv)) else { return };
    let column = |table: &[Vec<String>], name: &str| -> Vec<String> {
        let at = table[0].iter().position(|heading| heading == name).unwrap();
        table[1..].iter().map(|row| row[at].clone()).collect()
    };
    assert_eq!(column(&workbook, "Person"), persons);
    let as_written: Vec<String> =
        column(&text, "person").iter().map(|token| token.trim_start_matches('\'').to_owned()).collect();
    assert_eq!(as_written, persons);
    let plain = |text: &str| text.replace(|c: char| c == '\'' || c.is_whitespace(), "");
    for (cell, note) in column(&workbook, "note").iter().zip(NASTY) {
        assert_eq!(plain(cell), plain(note));
    }
    for (cell, note) in column(&text, "note").iter().zip(NASTY) {
        assert_eq!(plain(cell), plain(note));
    }
}
