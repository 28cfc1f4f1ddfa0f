//! A release taken back: a notice to each recipient, and a line in the ledger.

use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;

use super::crosswalk::{self, Row};
use super::ledger::{Entry, Event, Ledger, Withdrawal};
use super::{Done, page_bytes};
use crate::error::{Error, Result};
use crate::publish::{Draft, Field, Lock, Tokens, file_stem, sha256};
use crate::receipt::Output;
use crate::storage::Storage;

/// What to withdraw, why, and who answers for it.
#[derive(Debug, Clone)]
pub struct WithdrawRequest {
    pub release: String,
    /// All that still have it, without a name.
    pub recipients: Vec<String>,
    pub reason: String,
    pub by: String,
    /// The date of the last event, without one.
    pub on: Option<Date>,
}

/// `withdrawal.json`.
#[derive(Debug, Serialize)]
struct Page<'a> {
    withdrawal: &'a str,
    release: &'a str,
    on: Date,
    by: &'a str,
    reason: &'a str,
    recipients: &'a [String],
    outputs: Vec<Output>,
}

/// Withdraws a release from its recipients; the same again is no second withdrawal.
pub fn withdraw(storage: &dyn Storage, out: &Path, request: &WithdrawRequest) -> Result<Done> {
    let lock = Lock::take(storage, out)?;
    let mut ledger = Ledger::open(storage, &lock)?;
    let Some(released) = ledger.entries().iter().find(|entry| entry.id == request.release).cloned() else {
        return Err(Error::Usage("the ledger has no release of that name".to_owned()));
    };
    let recipients = recipients(&ledger, &released, request)?;
    if let Some(entry) = same_again(&ledger, request, &recipients) {
        return Ok(ledger.done(storage, entry, true));
    }
    if recipients.is_empty() {
        return Err(Error::Usage(format!("release {} is already withdrawn from them", released.id)));
    }
    let on = request.on.or(ledger.entries().last().map(|last| last.on)).unwrap_or(released.on);
    ledger.must_follow(on)?;
    let rows = crosswalk::read(storage, &ledger, &released)?;
    let draft = draft(&released, &rows, &recipients, on, request)?;
    let event =
        Withdrawal { release: released.id.clone(), recipients: recipients.clone(), reason: request.reason.clone() };
    let made_from = [on.to_string().as_str(), &released.id, &request.by, &request.reason].join("\n");
    let id = ledger.next_id(&sha256(made_from.as_bytes()));
    let page = page_bytes(&Page {
        withdrawal: &id.to_string(),
        release: &released.id,
        on,
        by: &request.by,
        reason: &request.reason,
        recipients: &recipients,
        outputs: draft.outputs(),
    })?;
    ledger.append(storage, &id, (on, &request.by, Event::Withdrawal(event)), &draft, &page)?;
    ledger.last(storage)
}

/// The last event, if it is this withdrawal and nobody is left to withdraw the release from.
fn same_again(ledger: &Ledger, request: &WithdrawRequest, left: &[String]) -> Option<Entry> {
    let last = ledger.entries().last()?;
    let Event::Withdrawal(withdrawal) = &last.event else { return None };
    let all = left.is_empty() && request.recipients.iter().all(|name| withdrawal.recipients.contains(name));
    let same = withdrawal.release == request.release && withdrawal.reason == request.reason && last.by == request.by;
    (all && same && request.on.is_none_or(|on| on == last.on)).then(|| last.clone())
}

/// Those asked for, or all, that were sent the release and still have it.
fn recipients(ledger: &Ledger, released: &Entry, request: &WithdrawRequest) -> Result<Vec<String>> {
    let Event::Release(release) = &released.event else {
        return Err(Error::Usage(format!("{} is itself a withdrawal", released.id)));
    };
    let mut sent: Vec<String> = release.lists.iter().map(|list| list.recipient.clone()).collect();
    sent.sort();
    sent.dedup();
    if request.recipients.iter().any(|name| !sent.contains(name)) {
        return Err(Error::Usage(format!("release {} was sent to no recipient of that name", released.id)));
    }
    let asked = |name: &String| request.recipients.is_empty() || request.recipients.contains(name);
    sent.retain(|name| asked(name) && !crosswalk::is_withdrawn(ledger.entries(), &released.id, name));
    Ok(sent)
}

/// For each recipient a notice, and the rows that are meant.
fn draft(released: &Entry, rows: &[Row], recipients: &[String], on: Date, request: &WithdrawRequest) -> Result<Draft> {
    let people: Vec<_> = rows.iter().map(|row| row.person.clone()).collect();
    let own = Tokens::new(&people);
    let mut draft = Draft::new(1);
    for recipient in recipients {
        let stem = file_stem(recipient);
        let notice = notice(released, &stem, on, request);
        if own.any_in(notice.as_bytes()) {
            return Err(Error::Usage("the reason or the name holds a person's token".to_owned()));
        }
        draft.sent_bytes(&format!("{stem}/withdrawn.md"), notice.into_bytes())?;
        let theirs = rows.iter().filter(|row| row.recipient == *recipient);
        let cells = theirs.map(|row| {
            [Field::Text(&row.cohort), Field::Token(&row.token), Field::Integer(row.rank), Field::Text(&row.status)]
        });
        draft.sent_csv(&format!("{stem}/withdrawn.csv"), &["cohort", "token", "rank", "status"], cells)?;
    }
    Ok(draft)
}

fn notice(released: &Entry, stem: &str, on: Date, request: &WithdrawRequest) -> String {
    let folder = format!("to/{stem}/");
    let files = released.files.iter().filter_map(|sent| sent.path.strip_prefix(&folder));
    let files: String = files.map(|file| format!("- {file}\n")).collect();
    format!(
        "# Stop using this list\n\n\
         Release {} of {} was withdrawn on {on} by {}.\n\n\
         **Why:** {}\n\n\
         ## What to do now\n\n\
         1. Call nobody from it.\n\
         2. Delete these files, and what was printed or copied from them:\n\n{files}\n\
         3. Send back what was already done, as feedback: contacts that were made still count.\n\n\
         `withdrawn.csv` names the rows that are meant.\n",
        released.id, released.on, request.by, request.reason
    )
}
