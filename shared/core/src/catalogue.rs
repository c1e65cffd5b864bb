//! The catalogue as a table, for the README.

use crate::control::{Control, Ratchet};
use crate::controls;

/// The table of controls in Markdown.
pub fn markdown() -> String {
    let mut table = String::from(
        "| Control | Severity | Standards | Practice | Fix | Ratchet | The pre-flight proves |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for control in controls::ALL {
        table.push_str(&row(control));
    }
    table
}

fn row(control: &Control) -> String {
    let opt_in = if control.opt_in { " *(opt-in)*" } else { "" };
    let practice = control.practice.map_or("–", |practice| practice.as_str());
    let standards =
        if control.standards.is_empty() { "–".to_owned() } else { control.standards.join(", ") };
    let (fix, ratchet, preflight) = match control.call {
        None => ("a person".to_owned(), "–".to_owned(), "–"),
        Some(call) => {
            let ratchet = match control.ratchet {
                Ratchet::Iam(key) => format!("IAM `{key}`"),
                Ratchet::Code => "code".to_owned(),
            };
            let preflight =
                if control.preflight.is_empty() { "nothing can break" } else { control.preflight };
            (format!("{}, {call}", control.safety), ratchet, preflight)
        }
    };
    format!(
        "| **`{}`** {}{opt_in} | {} | {standards} | {practice} | {fix} | {ratchet} | {preflight} |\n",
        control.slug, control.title, control.severity,
    )
}
