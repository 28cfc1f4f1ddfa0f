//! People in a list's file as it stands, whatever its format: what a receipt must say, and the gate holds against the
//! account.

use std::io::{Cursor, Read};

use serde_json::Value;

use super::worklist;

/// Rows in a file by what follows its recipient's name; none for an ending that no list has.
pub(crate) fn rows_in(ending: &str, bytes: &[u8]) -> Option<Result<u64, String>> {
    let text = || std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned());
    let lines = || text().map(|text| text.lines().map(|_| 1_u64).sum());
    Some(match ending {
        "xlsx" => workbook_rows(bytes).ok_or_else(|| "is no workbook that can be read".to_owned()),
        "ids.txt" | "RiskAssessment.ndjson" => lines(),
        "List.ndjson" => text().and_then(|text| items(text, "entry")),
        "Group.ndjson" => text().and_then(|text| items(text, "member")),
        "worklist.html" => text().map(worklist::people_in),
        _ => return None,
    })
}

/// What such a file holds of a list: those in reserve too, or only those with a place.
pub(crate) fn holds_reserve(ending: &str) -> bool {
    !matches!(ending, "ids.txt" | "Group.ndjson")
}

/// Of one array over all resources.
fn items(lines: &str, name: &str) -> Result<u64, String> {
    let count = |line: &str| {
        let resource: Value = serde_json::from_str(line).map_err(|_| "has a line that is no JSON".to_owned())?;
        Ok(resource.get(name).and_then(Value::as_array).map_or(0, |items| items.len() as u64))
    };
    lines.lines().map(count).sum()
}

/// Rows of the list in a workbook, without its header; the archive's own checksum is verified on the way.
fn workbook_rows(bytes: &[u8]) -> Option<u64> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut xml = String::new();
    archive.by_name("xl/worksheets/sheet2.xml").ok()?.read_to_string(&mut xml).ok()?;
    let rows: u64 = xml.matches("<row ").map(|_| 1_u64).sum();
    rows.checked_sub(1).filter(|_| xml.ends_with("</worksheet>"))
}
