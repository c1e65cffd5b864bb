//! The catalogue as a table, for the README.

use crate::control::{Control, Ratchet};
use crate::controls;

/// The table of controls in Markdown.
pub fn markdown() -> String {
    let mut table = String::from(
        "| Control | Severity | Standards | Practice | Ratchet | The pre-flight proves |\n|---|---|---|---|---|---|\n",
    );
    for control in controls::ALL {
        table.push_str(&row(control));
    }
    table
}

fn row(control: &Control) -> String {
    let ratchet = match control.ratchet {
        Ratchet::Iam(key) => format!("IAM `{key}`"),
        Ratchet::Code => "code".to_owned(),
    };
    let preflight = if control.preflight.is_empty() { "nothing can break" } else { control.preflight };
    format!(
        "| **`{}`** {} | {} | {} | {} | {ratchet} | {preflight} |\n",
        control.slug,
        control.title,
        control.severity,
        control.standards.join(", "),
        control.practice.as_str(),
    )
}
