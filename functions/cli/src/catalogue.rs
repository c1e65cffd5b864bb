//! `controls`: the catalogue, and what one control is about.

use std::fmt::Write as _;

use owo_colors::OwoColorize;
use serde::Serialize;
use shipshape_core::control::{Control, Ratchet, Severity};
use shipshape_core::controls::ALL;
use shipshape_core::remediation::Safety;

use crate::args::{self, Format};
use crate::output::words::wrap;
use crate::{Status, Voices};

#[derive(Serialize)]
struct Card<'a> {
    v: u8,
    kind: &'static str,
    control: &'a str,
    title: &'a str,
    severity: Severity,
    standards: &'a [&'a str],
    practice: Option<&'a str>,
    judges: &'a str,
    opt_in: bool,
    safety: Safety,
    call: Option<&'a str>,
    parameters: Vec<Parameter<'a>>,
    ratchet: String,
    preflight: &'a str,
    rationale: &'a str,
    template: &'a str,
    prevention: &'a str,
    reference: &'a str,
}

#[derive(Serialize)]
struct Parameter<'a> {
    name: &'a str,
    about: &'a str,
}

fn card(control: &'static Control) -> Card<'static> {
    Card {
        v: 1,
        kind: "control",
        control: control.slug,
        title: control.title,
        severity: control.severity,
        standards: control.standards,
        practice: control.practice.map(|practice| practice.as_str()),
        judges: control.rule.kind().name(),
        opt_in: control.opt_in,
        safety: control.safety,
        call: control.call.map(|call| call.as_str()),
        parameters: control
            .parameters
            .iter()
            .map(|parameter| Parameter { name: parameter.name, about: parameter.about })
            .collect(),
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

fn practice(control: &Control) -> &'static str {
    control.practice.map_or("good house-keeping", |practice| practice.as_str())
}

/// What its fix is, in a few words.
fn fix(control: &Control) -> String {
    match control.call {
        Some(call) => format!("{} fix by {call}", control.safety),
        None => "a person has to fix it".to_owned(),
    }
}

/// `controls [SLUG]`
pub(crate) fn controls(
    slug: Option<&str>,
    format: Format,
    voices: &mut Voices<'_>,
) -> anyhow::Result<Status> {
    let chosen = match slug {
        Some(name) => called(name).map_err(|error| anyhow::anyhow!("`{name}`: {error}"))?,
        None => ALL.to_vec(),
    };
    let page_of = chosen.len() == 1 && slug.is_some();
    let mut text = String::new();
    for control in &chosen {
        match format {
            Format::Json => writeln!(text, "{}", serde_json::to_string(&card(control))?)?,
            Format::Text if page_of => text.push_str(&page(control)),
            Format::Text => text.push_str(&entry(control)),
        }
    }
    voices.result(&text, None)?;
    Ok(Status::Done)
}

/// The controls of a name: a slug, a control of a standard such as `ECS.4`, or a part of slugs.
fn called(name: &str) -> Result<Vec<&'static Control>, String> {
    let unknown = match args::control(name) {
        Ok(control) => return Ok(vec![control]),
        Err(unknown) => unknown,
    };
    let those =
        |are: &dyn Fn(&Control) -> bool| ALL.iter().copied().filter(|one| are(one)).collect::<Vec<_>>();
    let standard = those(&|one| one.standards.iter().any(|standard| standard.eq_ignore_ascii_case(name)));
    let part = name.to_ascii_lowercase();
    let found = if standard.is_empty() { those(&|one| one.slug.contains(&part)) } else { standard };
    if found.is_empty() || part.is_empty() { Err(unknown) } else { Ok(found) }
}

/// Two lines of the list.
fn entry(control: &Control) -> String {
    let on = if control.opt_in { "opt-in" } else { "on" };
    let severity = format!("{:<9}", control.severity.as_str());
    let standards = control.standards.join(", ");
    let fix = fix(control);
    let facts = [practice(control), on, &fix, &standards].into_iter().filter(|fact| !fact.is_empty());
    let facts = facts.collect::<Vec<_>>().join(" · ");
    let mut text = format!("{severity} {}  {}\n", control.slug.bold(), control.title);
    for line in wrap(&facts, 10) {
        text.push_str(&format!("{:10}{}\n", "", line.dimmed()));
    }
    text
}

/// A control's own text.
fn page(control: &Control) -> String {
    let mut text = format!("{}\n{}\n\n", control.slug.bold(), control.title);
    for line in wrap(control.rationale, 0) {
        text.push_str(&format!("{line}\n"));
    }
    text.push('\n');
    let mut line = |name: &str, what: &str| {
        let mut name = name;
        for part in wrap(what, 13) {
            text.push_str(&format!("{:<12} {part}\n", name.cyan()));
            name = "";
        }
    };
    line("severity", control.severity.as_str());
    line(
        "judged",
        if control.opt_in {
            "only where the policy switches it on"
        } else {
            "unless the policy switches it off"
        },
    );
    line("judges", control.rule.kind().name());
    line("practice", practice(control));
    if !control.standards.is_empty() {
        line("standards", &control.standards.join(", "));
    }
    line("template", control.template);
    line("prevention", control.prevention);
    line("fix", &fix(control));
    if control.call.is_some() {
        line(
            "pre-flight",
            if control.preflight.is_empty() { "nothing can break" } else { control.preflight },
        );
        line("ratchet", &ratchet(control));
    }
    for parameter in control.parameters {
        line("parameter", &format!("{}: {}", parameter.name, parameter.about));
    }
    line("reference", control.reference);
    text
}
