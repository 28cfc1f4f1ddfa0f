//! What each delivery looks like: folder, header names as the national specifications have them, and which column is
//! the token, the key, the date and the day of recording.
//!
//! `PSEUDO_NHS_NUMBER` stands where NHS NUMBER stood before pseudonymisation, and `LSOA_2021` where the postcode did.

/// The kinds of delivery, in the order of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    People,
    GpEvents,
    GpMedications,
    Admissions,
    Attendances,
    Outpatients,
    CommunityContacts,
    SocialCare,
    UrgentCalls,
    OptOuts,
    HubFeedback,
    Practices,
    LsoaImd,
    Superseded,
    GpAppointments,
    AmbulanceCalls,
    VirtualWards,
    CareHomes,
    Screening,
    ContactNeeds,
}

/// How a column stands in Parquet; in CSV all is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    Text,
    Day,
    Whole,
}

use Cell::{Day, Text, Whole};

use super::local;

pub struct Layout {
    /// The folder, and the name in `truth/`.
    pub name: &'static str,
    pub columns: &'static [(&'static str, Cell)],
    pub token: usize,
    pub key: Option<usize>,
    pub date: usize,
    pub recorded: Option<usize>,
}

impl Kind {
    pub const ALL: [Self; 20] = [
        Self::People,
        Self::GpEvents,
        Self::GpMedications,
        Self::Admissions,
        Self::Attendances,
        Self::Outpatients,
        Self::CommunityContacts,
        Self::SocialCare,
        Self::UrgentCalls,
        Self::OptOuts,
        Self::HubFeedback,
        Self::Practices,
        Self::LsoaImd,
        Self::Superseded,
        Self::GpAppointments,
        Self::AmbulanceCalls,
        Self::VirtualWards,
        Self::CareHomes,
        Self::Screening,
        Self::ContactNeeds,
    ];

    pub fn layout(self) -> &'static Layout {
        match self {
            Self::People => &PEOPLE,
            Self::GpEvents => &GP_EVENTS,
            Self::GpMedications => &GP_MEDICATIONS,
            Self::Admissions => &ADMISSIONS,
            Self::Attendances => &ATTENDANCES,
            Self::Outpatients => &OUTPATIENTS,
            Self::CommunityContacts => &COMMUNITY_CONTACTS,
            Self::SocialCare => &SOCIAL_CARE,
            Self::UrgentCalls => &URGENT_CALLS,
            Self::OptOuts => &OPT_OUTS,
            Self::HubFeedback => &HUB_FEEDBACK,
            Self::Practices => &PRACTICES,
            Self::LsoaImd => &LSOA_IMD,
            Self::Superseded => &SUPERSEDED,
            Self::GpAppointments => &local::GP_APPOINTMENTS,
            Self::AmbulanceCalls => &local::AMBULANCE_CALLS,
            Self::VirtualWards => &local::VIRTUAL_WARDS,
            Self::CareHomes => &local::CARE_HOMES,
            Self::Screening => &local::SCREENING,
            Self::ContactNeeds => &local::CONTACT_NEEDS,
        }
    }
}

static PEOPLE: Layout = Layout {
    name: "people",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("EFFECTIVE_DATE", Text),
        ("RECORDED_DATE", Day),
        ("BIRTH_DATE", Day),
        ("DEATH_DATE", Day),
        ("PERSON_STATED_GENDER_CODE", Text),
        ("ETHNIC_CATEGORY", Text),
        ("LANGUAGE_CODE_PREFERRED", Text),
        ("LSOA_2021", Text),
        ("PRACTICE_CODE", Text),
        ("REGISTRATION_START_DATE", Day),
        ("REGISTRATION_END_DATE", Day),
        ("EFI2_SCORE", Text),
        ("GENDER_IDENTITY_SAME_AT_BIRTH", Text),
        ("SEXUAL_ORIENTATION", Text),
        ("RELIGION", Text),
        ("DISABILITY_CODE", Text),
        ("ACCOMMODATION_STATUS_CODE", Text),
        ("CARER_SUPPORT_INDICATOR", Text),
        ("LIVES_ALONE", Text),
        ("LEARNING_DISABILITY_REGISTER", Text),
        ("INTERPRETER_NEEDED", Text),
        ("ACCESSIBLE_INFORMATION_NEED", Text),
    ],
    token: 0,
    key: None,
    date: 1,
    recorded: Some(2),
};

static GP_EVENTS: Layout = Layout {
    name: "gp_events",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("EVENT_ID", Text),
        ("EVENT_DATE", Text),
        ("RECORDED_DATE", Day),
        ("PRACTICE_CODE", Text),
        ("SNOMED_CODE", Text),
        ("VALUE", Text),
        ("UNIT", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

static GP_MEDICATIONS: Layout = Layout {
    name: "gp_medications",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("ISSUE_ID", Text),
        ("ISSUE_DATE", Text),
        ("RECORDED_DATE", Day),
        ("PRACTICE_CODE", Text),
        ("BNF_CODE", Text),
        ("DMD_CODE", Text),
        ("QUANTITY", Text),
        ("ISSUE_TYPE", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

static ADMISSIONS: Layout = Layout {
    name: "admissions",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("HOSPITAL PROVIDER SPELL NUMBER", Text),
        ("START DATE (HOSPITAL PROVIDER SPELL)", Text),
        ("CDS APPLICABLE DATE", Day),
        ("DISCHARGE DATE (HOSPITAL PROVIDER SPELL)", Day),
        ("ADMISSION METHOD CODE (HOSPITAL PROVIDER SPELL)", Text),
        ("SOURCE OF ADMISSION CODE (HOSPITAL PROVIDER SPELL)", Text),
        ("DISCHARGE METHOD CODE (HOSPITAL PROVIDER SPELL)", Text),
        ("DISCHARGE DESTINATION CODE (HOSPITAL PROVIDER SPELL)", Text),
        ("PATIENT CLASSIFICATION CODE", Text),
        ("ACTIVITY TREATMENT FUNCTION CODE", Text),
        ("ORGANISATION CODE (CODE OF PROVIDER)", Text),
        ("GENERAL MEDICAL PRACTICE CODE (PATIENT REGISTRATION)", Text),
        ("PERSON BIRTH DATE", Day),
        ("PERSON GENDER CODE CURRENT", Text),
        ("ETHNIC CATEGORY", Text),
        ("LSOA_2021", Text),
        ("PRIMARY DIAGNOSIS (ICD)", Text),
        ("SECONDARY DIAGNOSIS (ICD) 1", Text),
        ("SECONDARY DIAGNOSIS (ICD) 2", Text),
        ("SECONDARY DIAGNOSIS (ICD) 3", Text),
        ("SECONDARY DIAGNOSIS (ICD) 4", Text),
        ("SECONDARY DIAGNOSIS (ICD) 5", Text),
        ("SECONDARY DIAGNOSIS (ICD) 6", Text),
        ("SECONDARY DIAGNOSIS (ICD) 7", Text),
        ("SECONDARY DIAGNOSIS (ICD) 8", Text),
        ("CARER SUPPORT INDICATOR", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

static ATTENDANCES: Layout = Layout {
    name: "attendances",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("EMERGENCY CARE ATTENDANCE IDENTIFIER", Text),
        ("EMERGENCY CARE ARRIVAL DATE", Text),
        ("CDS APPLICABLE DATE", Day),
        ("EMERGENCY CARE ARRIVAL TIME", Text),
        ("EMERGENCY CARE DEPARTURE DATE", Day),
        ("EMERGENCY CARE DEPARTMENT TYPE", Text),
        ("EMERGENCY CARE ATTENDANCE CATEGORY", Text),
        ("EMERGENCY CARE ARRIVAL MODE (SNOMED CT)", Text),
        ("EMERGENCY CARE ACUITY (SNOMED CT)", Text),
        ("EMERGENCY CARE CHIEF COMPLAINT (SNOMED CT)", Text),
        ("EMERGENCY CARE DISCHARGE STATUS (SNOMED CT)", Text),
        ("EMERGENCY CARE DISCHARGE DESTINATION (SNOMED CT)", Text),
        ("ORGANISATION IDENTIFIER (CODE OF PROVIDER)", Text),
        ("GENERAL MEDICAL PRACTICE CODE (PATIENT REGISTRATION)", Text),
        ("PERSON BIRTH DATE", Day),
        ("PERSON STATED GENDER CODE", Text),
        ("ETHNIC CATEGORY", Text),
        ("LSOA_2021", Text),
        ("ACCOMMODATION STATUS (SNOMED CT)", Text),
        ("INTERPRETER LANGUAGE (SNOMED CT)", Text),
        ("ACCESSIBLE INFORMATION PROFESSIONAL REQUIRED CODE (SNOMED CT)", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

static OUTPATIENTS: Layout = Layout {
    name: "outpatients",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("ATTENDANCE IDENTIFIER", Text),
        ("APPOINTMENT DATE", Text),
        ("CDS APPLICABLE DATE", Day),
        ("ATTENDED OR DID NOT ATTEND CODE", Text),
        ("FIRST ATTENDANCE CODE", Text),
        ("ACTIVITY TREATMENT FUNCTION CODE", Text),
        ("CONSULTATION MEDIUM USED", Text),
        ("ORGANISATION CODE (CODE OF PROVIDER)", Text),
        ("GENERAL MEDICAL PRACTICE CODE (PATIENT REGISTRATION)", Text),
        ("PERSON BIRTH DATE", Day),
        ("PERSON GENDER CODE CURRENT", Text),
        ("ETHNIC CATEGORY", Text),
        ("CARER SUPPORT INDICATOR", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

static COMMUNITY_CONTACTS: Layout = Layout {
    name: "community_contacts",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("CARE CONTACT IDENTIFIER", Text),
        ("CARE CONTACT DATE", Text),
        ("DATE AND TIME DATA SET CREATED", Text),
        ("SERVICE OR TEAM TYPE REFERRED TO (COMMUNITY CARE)", Text),
        ("SERVICE DISCHARGE DATE", Day),
        ("CLINICAL CONTACT DURATION OF CARE CONTACT", Whole),
        ("CONSULTATION MEDIUM USED", Text),
        ("ATTENDED OR DID NOT ATTEND CODE", Text),
        ("ORGANISATION IDENTIFIER (CODE OF PROVIDER)", Text),
        ("GENERAL MEDICAL PRACTICE CODE (PATIENT REGISTRATION)", Text),
        ("PERSON BIRTH DATE", Day),
        ("PERSON STATED GENDER CODE", Text),
        ("ETHNIC CATEGORY", Text),
        ("LANGUAGE CODE (PREFERRED)", Text),
        ("ACCOMMODATION STATUS CODE", Text),
        ("DISABILITY CODE", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

static SOCIAL_CARE: Layout = Layout {
    name: "social_care",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("Event Reference", Text),
        ("Event Start Date", Text),
        ("Import Date", Day),
        ("Event End Date", Text),
        ("Event Type", Text),
        ("Client Type", Text),
        ("Service Type", Text),
        ("Service Component", Text),
        ("Delivery Mechanism", Text),
        ("Primary Support Reason", Text),
        ("Accommodation Status", Text),
        ("Event Outcome", Text),
        ("GP Practice Code", Text),
        ("Date of Birth", Text),
        ("Gender", Text),
        ("Ethnicity", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

static URGENT_CALLS: Layout = Layout {
    name: "urgent_calls",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("CaseRef", Text),
        ("Call Received", Text),
        ("Extract Date", Day),
        ("Case Type", Text),
        ("First Party Caller", Text),
        ("IUC ADC - Final Dx Group", Text),
        ("GP Surgery ID", Text),
        ("Sex", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

static OPT_OUTS: Layout = Layout {
    name: "opt_outs",
    columns: &[("PSEUDO_NHS_NUMBER", Text), ("OPT_OUT_TYPE", Text), ("START_DATE", Text), ("END_DATE", Day)],
    token: 0,
    key: None,
    date: 2,
    recorded: None,
};

static HUB_FEEDBACK: Layout = Layout {
    name: "hub_feedback",
    columns: &[
        ("PSEUDO_NHS_NUMBER", Text),
        ("CONTACT_ID", Text),
        ("CONTACT_DATE", Text),
        ("RECORDED_DATE", Day),
        ("COHORT", Text),
        ("OUTCOME", Text),
    ],
    token: 0,
    key: Some(1),
    date: 2,
    recorded: Some(3),
};

static PRACTICES: Layout = Layout {
    name: "practices",
    columns: &[("PRACTICE_CODE", Text), ("PCN_CODE", Text), ("PCN_NAME", Text), ("PLACE", Text)],
    token: 0,
    key: None,
    date: 0,
    recorded: None,
};

static LSOA_IMD: Layout = Layout {
    name: "lsoa_imd",
    columns: &[("lsoa21_code", Text), ("IMD_rank", Whole), ("IMD_decile", Whole)],
    token: 0,
    key: None,
    date: 0,
    recorded: None,
};

static SUPERSEDED: Layout = Layout {
    name: "superseded",
    columns: &[("OLD_PSEUDO_NHS_NUMBER", Text), ("NEW_PSEUDO_NHS_NUMBER", Text), ("CHANGED_DATE", Day)],
    token: 0,
    key: None,
    date: 2,
    recorded: None,
};
