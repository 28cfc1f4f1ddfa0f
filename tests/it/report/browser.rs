//! The page in a browser, held against axe-core and a validator of HTML: `tests/page/check.mjs`.
//!
//! `tests/all` installs what that needs; where it is missing, the test skips and says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{large, tiny};
use crate::runs;

/// The first of the browser's usual names that runs here.
fn chromium() -> Option<String> {
    let named = std::env::var("CHROMIUM").ok();
    let names = named.into_iter().chain(["chromium", "chromium-browser", "google-chrome"].map(str::to_owned));
    let mut found = names.filter_map(|name| {
        let path = Command::new("which").arg(&name).output().ok().filter(|which| which.status.success())?;
        Some(String::from_utf8(path.stdout).ok()?.trim().to_owned())
    });
    found.next()
}

/// Why the pages cannot be checked here.
fn missing(folder: &Path) -> Option<&'static str> {
    if Command::new("node").arg("--version").output().is_err() {
        return Some("node is not installed");
    }
    (!folder.join("node_modules/axe-core").exists())
        .then_some("tests/page/node_modules is missing: npm ci --prefix tests/page")
}

#[test]
fn a_browser_shows_the_page_as_it_should_be() {
    let folder = runs::root().join("tests/page");
    let Some(browser) = chromium() else {
        println!("skipped: no chromium is installed");
        return;
    };
    if let Some(why) = missing(&folder) {
        println!("skipped: {why}");
        return;
    }
    let left = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&left).unwrap();
    let out = tempfile::tempdir().unwrap();
    let (facts, tables) = large();
    let page = riskstrat::report::page(&facts, &tables).unwrap();
    std::fs::write(left.join("million.html"), page.html()).unwrap();
    std::fs::copy(tiny(out.path()).join("aggregate/report.html"), left.join("twelve.html")).unwrap();
    let checked = Command::new("node")
        .arg(folder.join("check.mjs"))
        .args(["million.html", "twelve.html"].map(|name| left.join(name)))
        .env("CHROMIUM", browser)
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&checked.stdout));
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
