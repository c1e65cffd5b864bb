//! Controls as SARIF's rules.

use shipshape_core::control::{Control, Severity};

use super::log::{Configuration, Help, Rule, RuleProperties, Text};

/// GitHub refuses a file with a rule that has more tags.
const MOST_TAGS: usize = 20;

/// A control as a rule.
pub(super) fn rule(control: &Control) -> Rule<'_> {
    Rule {
        id: control.slug,
        name: pascal(control.slug),
        short_description: text(control.title),
        full_description: text(control.rationale),
        help: help(control),
        help_uri: control.reference,
        default_configuration: Configuration { level: level(control.severity) },
        properties: RuleProperties {
            // A control fails on what a document shows; what it can't see, it leaves open.
            precision: "very-high",
            security_severity: score(control.severity),
            tags: tags(control),
        },
    }
}

/// How SARIF calls a severity.
pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational => "note",
    }
}

/// A score by which GitHub tells its four severities apart. It knows nothing below low, and takes 0 for none.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Informational => "1.0",
    }
}

/// GitHub shows the first ten, so that what people filter by comes first.
fn tags(control: &Control) -> Vec<String> {
    let practice = control.practice.map(|practice| practice.as_str().replace(' ', "-"));
    let standards = control.standards.iter().map(|standard| (*standard).to_owned());
    ["security".to_owned()].into_iter().chain(practice).chain(standards).take(MOST_TAGS).collect()
}

/// `ecs-container-not-privileged` is `EcsContainerNotPrivileged`.
fn pascal(slug: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    };
    slug.split('-').map(word).collect()
}

fn help(control: &Control) -> Help {
    let parts = [
        ("Why", control.rationale),
        ("In the template", control.template),
        ("Prevention", control.prevention),
    ];
    let parts: Vec<(&str, &str)> = parts.into_iter().filter(|(_, words)| !words.is_empty()).collect();
    let plain = parts.iter().map(|(name, words)| format!("{name}: {}", literal(words)));
    let marked = parts.iter().map(|(name, words)| format!("**{name}.** {}", markdown(words)));
    let reference = control.reference;
    Help {
        text: plain.chain([format!("Reference: {reference}")]).collect::<Vec<_>>().join("\n\n"),
        markdown: marked.chain([format!("[Reference]({reference})")]).collect::<Vec<_>>().join("\n\n"),
    }
}

fn text(words: &str) -> Text {
    Text { text: literal(words) }
}

/// Words in a message: braces are doubled, since single ones are placeholders.
pub(super) fn literal(words: &str) -> String {
    words.replace('{', "{{").replace('}', "}}")
}

/// Words in Markdown, where nothing in them is markup. Braces are written as what Markdown shows as one brace: viewers
/// that know of no placeholders would show doubled ones.
fn markdown(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '{' | '}' | '<' | '>' | '&' => text.push_str(&format!("&#{};", u32::from(c))),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' => text.extend(['\\', c]),
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_as_they_are() {
        assert_eq!(literal("{Name: a}"), "{{Name: a}}");
        assert_eq!(
            markdown("{a: <b>} & *c_d* [e](f)"),
            "&#123;a: &#60;b&#62;&#125; &#38; \\*c\\_d\\* \\[e\\](f)"
        );
        assert_eq!(pascal("ecs-container-not-privileged"), "EcsContainerNotPrivileged");
    }
}
