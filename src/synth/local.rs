//! Layouts of feeds for which no national row layout was at hand: the column names are this project's own.

use super::layout::Cell::{Day, Text};
use super::layout::Layout;

pub static GP_APPOINTMENTS: Layout = Layout {
    name: "gp_appointments",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("APPOINTMENT_ID", Text),
        ("APPOINTMENT_DATE", Text),
        ("RECORDED_DATE", Day),
        ("PRACTICE_CODE", Text),
        ("STATUS", Text),
        ("PROFESSIONAL", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

pub static AMBULANCE_CALLS: Layout = Layout {
    name: "ambulance_calls",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("INCIDENT_ID", Text),
        ("CALL_DATE", Text),
        ("EXTRACT_DATE", Day),
        ("REASON", Text),
        ("OUTCOME", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

pub static VIRTUAL_WARDS: Layout = Layout {
    name: "virtual_wards",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("STAY_ID", Text),
        ("ADMITTED_DATE", Text),
        ("EXTRACT_DATE", Day),
        ("DISCHARGED_DATE", Text),
        ("PATHWAY", Text),
        ("ROUTE", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

pub static CARE_HOMES: Layout = Layout {
    name: "care_homes",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("STAY_ID", Text),
        ("MOVED_IN_DATE", Text),
        ("EXTRACT_DATE", Day),
        ("MOVED_OUT_DATE", Text),
        ("CARE_HOME_ID", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

pub static SCREENING: Layout = Layout {
    name: "screening",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("INVITATION_ID", Text),
        ("INVITATION_DATE", Text),
        ("EXTRACT_DATE", Day),
        ("PROGRAMME", Text),
        ("OUTCOME", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

/// The four areas of the Accessible Information Standard (DCB1605), as a practice or a hub records them.
pub static CONTACT_NEEDS: Layout = Layout {
    name: "contact_needs",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("NEED_ID", Text),
        ("NOTED_DATE", Text),
        ("EXTRACT_DATE", Day),
        ("AREA", Text),
        ("DETAIL", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};
