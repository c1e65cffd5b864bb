//! `[controls]`, `[budget]` and `[delegation]`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use toml::{Spanned, Value};

use super::super::error::suggestion;
use super::super::setting::Delegation;
use super::super::wire::{WireBudget, WireDelegation, Word};
use super::super::{Budget, ControlName, ControlTable, ParameterKind, Setting};
use super::{Checker, control_named, mode};

/// The key that every control has.
const ENABLED: &str = "enabled";

impl Checker<'_> {
    pub(super) fn controls(
        &mut self,
        wire: &BTreeMap<Word, BTreeMap<Word, Spanned<Value>>>,
    ) -> BTreeMap<String, ControlTable> {
        let mut controls = BTreeMap::new();
        for (slug, table) in wire {
            match control_named(self.controls, slug.get_ref()) {
                Ok(control) => {
                    let table = self.control(control, table);
                    controls.insert(control.slug.to_owned(), table);
                }
                Err(message) => self.error(slug.span(), message),
            }
        }
        controls
    }

    fn control(&mut self, control: &ControlName, wire: &BTreeMap<Word, Spanned<Value>>) -> ControlTable {
        let mut table = ControlTable::default();
        for (key, value) in wire {
            let name = key.get_ref().as_str();
            let source = self.source(value.span());
            let parameter = control.parameters.iter().find(|parameter| parameter.name == name);
            match (name, value.get_ref(), parameter) {
                (ENABLED, Value::Boolean(enabled), _) => {
                    table.enabled = Some(Setting { value: *enabled, source });
                }
                (ENABLED, ..) => self.error(value.span(), "`enabled` must be true or false"),
                (_, given, Some(parameter)) if fits(given, parameter.kind) => {
                    table.parameters.insert(name.to_owned(), Setting { value: given.clone(), source });
                }
                (_, _, Some(parameter)) => {
                    let wanted = wanted(parameter.kind);
                    self.error(value.span(), format!("`{name}` of `{}` must be {wanted}", control.slug));
                }
                (_, _, None) => {
                    let names: Vec<&str> = std::iter::once(ENABLED)
                        .chain(control.parameters.iter().map(|known| known.name))
                        .collect();
                    let otherwise = format!("it has `{}`", names.join("`, `"));
                    let hint = suggestion(name, names.iter().copied(), &otherwise);
                    self.error(key.span(), format!("`{}` has no parameter `{name}`: {hint}", control.slug));
                }
            }
        }
        table
    }

    pub(super) fn budget(&mut self, wire: &WireBudget) -> Budget {
        const ANY: RangeInclusive<u32> = 0..=u32::MAX;
        const PERCENT: RangeInclusive<u32> = 0..=100;
        // Zero would read as "no limit" to some and as "never" to others.
        const AT_LEAST_ONE: RangeInclusive<u32> = 1..=u32::MAX;
        let or = Budget::default();
        Budget {
            fixes_per_account_per_hour: self.number(
                &wire.fixes_per_account_per_hour,
                or.fixes_per_account_per_hour,
                ANY,
            ),
            messages_per_account_per_hour: self.number(
                &wire.messages_per_account_per_hour,
                or.messages_per_account_per_hour,
                ANY,
            ),
            max_rolling_percent: self.number(&wire.max_rolling_percent, or.max_rolling_percent, PERCENT),
            flip_flops: self.number(&wire.flip_flops, or.flip_flops, AT_LEAST_ONE),
            breaker: self.number(&wire.breaker, or.breaker, AT_LEAST_ONE),
        }
    }

    fn number(
        &mut self,
        wire: &Option<Spanned<i64>>,
        default: Setting<u32>,
        range: RangeInclusive<u32>,
    ) -> Setting<u32> {
        let said = self.said(wire, |number| {
            u32::try_from(*number).ok().filter(|number| range.contains(number)).ok_or_else(|| {
                format!("{number} is out of range: write {} to {}", range.start(), range.end())
            })
        });
        said.unwrap_or(default)
    }

    pub(super) fn delegation(&mut self, wire: &WireDelegation) -> Delegation {
        Delegation { modes: self.entries(&wire.modes, mode), exemptions: wire.exemptions }
    }
}

fn fits(value: &Value, kind: ParameterKind) -> bool {
    match kind {
        ParameterKind::Text => value.is_str(),
        ParameterKind::TextList => value.as_array().is_some_and(|list| list.iter().all(Value::is_str)),
        ParameterKind::Integer => value.is_integer(),
        ParameterKind::Boolean => value.is_bool(),
    }
}

fn wanted(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Text => "a string, such as \"text\"",
        ParameterKind::TextList => "a list of strings, such as [\"a\", \"b\"]",
        ParameterKind::Integer => "a whole number",
        ParameterKind::Boolean => "true or false",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::parse;
    use super::super::super::{Mode, Source};
    use super::super::tests::{check, errors};
    use super::*;

    #[test]
    fn parameters_have_the_types_of_the_catalogue() {
        let slug = "ecs-image-trusted-registry";
        #[rustfmt::skip]
        let rows = [
            ("allow = \"a\"", "3:9: `allow` of `ecs-image-trusted-registry` must be a list of strings, such as [\"a\", \"b\"]"),
            ("allow = [\"a\", 1]", "3:9: `allow` of `ecs-image-trusted-registry` must be a list of strings, such as [\"a\", \"b\"]"),
            ("note = [\"a\"]", "3:8: `note` of `ecs-image-trusted-registry` must be a string, such as \"text\""),
            ("age = 1.5", "3:7: `age` of `ecs-image-trusted-registry` must be a whole number"),
            ("age = \"1\"", "3:7: `age` of `ecs-image-trusted-registry` must be a whole number"),
            ("strict = 1", "3:10: `strict` of `ecs-image-trusted-registry` must be true or false"),
            ("enabled = \"yes\"", "3:11: `enabled` must be true or false"),
            ("alow = []", "3:1: `ecs-image-trusted-registry` has no parameter `alow`: did you mean `allow`?"),
            ("registries = []", "3:1: `ecs-image-trusted-registry` has no parameter `registries`: it has `enabled`, `allow`, `note`, `age`, `strict`"),
        ];
        for (line, expected) in rows {
            assert_eq!(errors(&format!("version = 1\n[controls.{slug}]\n{line}")), [expected], "{line}");
        }
        let policy = parse(&format!(
            "version = 1\n[controls.{slug}]\nallow = [\"a\", \"b\"]\nnote = \"n\"\nage = 30\nstrict = true\nenabled = false"
        ));
        let control = policy.control(slug);
        assert_eq!(control.parameters.keys().collect::<Vec<_>>(), ["age", "allow", "note", "strict"]);
        assert!(control.enabled.is_some_and(|enabled| !enabled.value));
    }

    #[test]
    fn a_control_must_be_known() {
        check(&[
            (
                "version = 1\n[controls.ecs-servce-no-public-ip]\nenabled = true",
                "2:11: there is no control `ecs-servce-no-public-ip`: did you mean `ecs-service-no-public-ip`?",
            ),
            (
                "version = 1\n[controls]\n\"ecs-*\" = { enabled = true }",
                "3:1: there is no control `ecs-*`: `shipshape controls` lists all of them",
            ),
        ]);
    }

    #[test]
    fn budgets_have_ranges_and_defaults() {
        check(&[
            ("version = 1\n[budget]\nmax_rolling_percent = 101", "3:23: 101 is out of range: write 0 to 100"),
            (
                "version = 1\n[budget]\nfixes_per_account_per_hour = -1",
                "3:30: -1 is out of range: write 0 to 4294967295",
            ),
            ("version = 1\n[budget]\nflip_flops = 0", "3:14: 0 is out of range: write 1 to 4294967295"),
            (
                "version = 1\n[budget]\nbreaker = 4294967296",
                "3:11: 4294967296 is out of range: write 1 to 4294967295",
            ),
        ]);
        let policy = parse("version = 1\n[budget]\nbreaker = 5\n");
        let budget = policy.budget();
        assert_eq!((budget.breaker.value, budget.breaker.source.to_string().as_str()), (5, "policy.toml:3"));
        assert_eq!(budget.flip_flops, Setting { value: 3, source: Source::Default });
        assert_eq!(budget.max_rolling_percent, Setting { value: 10, source: Source::Default });
        assert_eq!(
            (budget.fixes_per_account_per_hour.value, budget.messages_per_account_per_hour.value),
            (20, 20)
        );
    }

    #[test]
    fn nothing_is_delegated_unless_it_is_said() {
        check(&[(
            "version = 1\n[delegation]\nmodes = [\"off\", \"of\"]",
            "3:17: `of` is not a mode: write off, notify or fix",
        )]);
        assert_eq!(parse("version = 1").delegation, Delegation { modes: Vec::new(), exemptions: false });
        let said = parse("version = 1\n[delegation]\nmodes = [\"notify\", \"fix\"]\nexemptions = true");
        assert_eq!(said.delegation, Delegation { modes: vec![Mode::Notify, Mode::Fix], exemptions: true });
    }
}
