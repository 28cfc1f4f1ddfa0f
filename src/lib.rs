//! Open population risk stratification: from pseudonymised deliveries to explained outreach lists.
