//! The README's commands are run, and its claims about commands hold.

use std::process::Command;

use crate::runs;

fn readme() -> String {
    std::fs::read_to_string(runs::root().join("README.md")).unwrap()
}

fn riskstrat() -> Command {
    Command::new(env!("CARGO_BIN_EXE_riskstrat"))
}

/// The first block of commands, `cargo run --` being this build.
#[test]
fn the_first_command_publishes_and_says_where() {
    let text = readme();
    let command = text.lines().find_map(|line| line.strip_prefix("cargo run -- ")).unwrap();
    let out = tempfile::tempdir().unwrap();
    let done = riskstrat()
        .args(command.split(' '))
        .args(["--out", out.path().to_str().unwrap()])
        .current_dir(runs::root())
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for what in ["list ", "gap audit ", "receipt "] {
        let line = said.lines().find(|line| line.trim_start().starts_with(what)).unwrap();
        let path = line.trim_start().trim_start_matches(what).trim();
        assert!(std::path::Path::new(path).exists(), "{line}");
    }
}

#[test]
fn ci_runs_the_second_command_and_nothing_else() {
    let ci = std::fs::read_to_string(runs::root().join(".ci/run")).unwrap();
    let commands: Vec<&str> = ci.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(commands, ["set -euo pipefail", "cd \"$(dirname \"$0\")/..\"", "bash tests/all"]);
    assert!(readme().contains("```sh\nbash tests/all\n```"));
}

/// The commands under "Your own data", in a folder of their own.
#[test]
fn the_commands_for_your_own_data_work() {
    let folder = tempfile::tempdir().unwrap();
    let extracts = runs::root().join("fixtures/starter/deliveries");
    let text = readme();
    let commands: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("riskstrat "))
        .map(|line| line.split('#').next().unwrap().trim().to_owned())
        .collect();
    assert_eq!(commands.len(), 9);
    for command in commands {
        let command = command
            .replace("/path/to/extracts", extracts.to_str().unwrap())
            .replace(" --out /path/to/runs", "")
            .replace("/path/to/deliveries --persons 100000", "deliveries --persons 50");
        let mut process = riskstrat();
        process.args(command.split_whitespace().skip(1)).current_dir(folder.path());
        process.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        process.stderr(std::process::Stdio::piped());
        let mut child = process.spawn().unwrap();
        // The token that `explain` reads; others do not listen.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"a1f3\n");
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn the_exit_codes_are_the_ones_in_the_help() {
    let help = riskstrat().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for line in readme().lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [code, meaning] = cells[..]
            && code.parse::<u8>().is_ok()
        {
            assert!(help.lines().any(|line| line.trim_start().starts_with(code) && line.ends_with(meaning)), "{line}");
        }
    }
}
