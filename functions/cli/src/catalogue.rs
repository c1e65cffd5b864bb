//! `controls`: the catalogue, and what one control is about.

use std::fmt::Write as _;

use owo_colors::OwoColorize;
use serde::Serialize;
use shipshape_core::control::{Control, Ratchet, Severity};
use shipshape_core::controls::ALL;

use crate::args::{self, Format};
use crate::{Status, Voices};

#[derive(Serialize)]
struct Card<'a> {
    v: u8,
    kind: &'static str,
    control: &'a str,
    title: &'a str,
    severity: Severity,
    standards: &'a [&'a str],
    practice: &'a str,
    opt_in: bool,
    ratchet: String,
    preflight: &'a str,
    rationale: &'a str,
    template: &'a str,
    prevention: &'a str,
    reference: &'a str,
}

fn card(control: &'static Control) -> Card<'static> {
    Card {
        v: 1,
        kind: "control",
        control: control.slug,
        title: control.title,
        severity: control.severity,
        standards: control.standards,
        practice: control.practice.as_str(),
        opt_in: control.opt_in,
        ratchet: ratchet(control),
        preflight: control.preflight,
        rationale: control.rationale,
        template: control.template,
        prevention: control.prevention,
        reference: control.reference,
    }
}

fn ratchet(control: &Control) -> String {
    match control.ratchet {
        Ratchet::Iam(key) => format!("IAM ({key})"),
        Ratchet::Code => "code".to_owned(),
    }
}

/// `controls [SLUG]`
pub(crate) fn controls(
    slug: Option<&str>,
    format: Format,
    voices: &mut Voices<'_>,
) -> anyhow::Result<Status> {
    let chosen: Vec<&'static Control> = match slug {
        Some(slug) => vec![args::control(slug).map_err(|error| anyhow::anyhow!("`{slug}`: {error}"))?],
        None => ALL.to_vec(),
    };
    let mut text = String::new();
    for control in &chosen {
        match (format, slug) {
            (Format::Json, _) => writeln!(text, "{}", serde_json::to_string(&card(control))?)?,
            (Format::Text, Some(_)) => text.push_str(&page(control)),
            (Format::Text, None) => {
                let slug = format!("{:<34}", control.slug);
                let opt_in = if control.opt_in { " (opt-in)" } else { "" };
                writeln!(text, "{:<8} {} {}{opt_in}", control.severity.as_str(), slug.bold(), control.title)?;
            }
        }
    }
    voices.result(&text, None)?;
    Ok(Status::Done)
}

fn page(control: &Control) -> String {
    let mut text = format!("{}\n{}\n\n{}\n", control.slug.bold(), control.title, control.rationale);
    let preflight = if control.preflight.is_empty() { "nothing can break" } else { control.preflight };
    let lines = [
        ("severity", control.severity.to_string()),
        ("practice", control.practice.as_str().to_owned()),
        ("standards", control.standards.join(", ")),
        ("template", control.template.to_owned()),
        ("prevention", control.prevention.to_owned()),
        ("pre-flight", preflight.to_owned()),
        ("ratchet", ratchet(control)),
        ("reference", control.reference.to_owned()),
    ];
    text.push('\n');
    for (name, line) in lines {
        text.push_str(&format!("{:<11} {line}\n", name.cyan()));
    }
    for parameter in control.parameters {
        text.push_str(&format!("{:<11} {}: {}\n", "parameter".cyan(), parameter.name, parameter.about));
    }
    text
}
