//! How one policy differs from another, in words: what whoever replaces a policy lets Shipshape do from then on.
//!
//! What holds for whole accounts is asked of both policies, control by control, so that it is told as it will be, however
//! it is written. Rules that name Regions, clusters or resources are told as they are written.

use std::collections::BTreeMap;

use crate::controls;
use crate::policy::{Budget, Exemption, Mode, NarrowRule, Policy, Setting};

mod standing;

use standing::by_account;

/// Which way a difference goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Shipshape may do more by itself, or people hear of less.
    Looser,
    /// Shipshape may do less by itself, or people hear of more.
    Tighter,
    /// Neither, or nobody can tell.
    Other,
}

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Which way it goes.
    pub direction: Direction,
    /// What it is.
    pub what: String,
}

impl Difference {
    fn new(direction: Direction, what: String) -> Self {
        Self { direction, what }
    }

    /// Of something of which more is looser.
    fn more<T: PartialOrd>(before: &T, after: &T, what: String) -> Option<Self> {
        let direction = if after > before { Direction::Looser } else { Direction::Tighter };
        (before != after).then(|| Self::new(direction, what))
    }
}

/// What changes where `after` takes the place of `before`: what loosens comes first.
pub fn differences(before: &Policy, after: &Policy) -> Vec<Difference> {
    let mut all = by_account(before, after);
    all.extend(rules(&before.narrow_rules(), &after.narrow_rules()));
    all.extend(exemptions(before.exemptions(), after.exemptions()));
    all.extend(budgets(before.budget(), after.budget()));
    all.extend(delegation(before, after));
    all.extend(parameters(before, after));
    // What is of one direction stays in this order.
    all.sort_by_key(|difference| difference.direction);
    all
}

fn rules(before: &[NarrowRule], after: &[NarrowRule]) -> Vec<Difference> {
    let (mut gone, mut new) = (before.to_vec(), Vec::new());
    for rule in after {
        match gone.iter().position(|known| known == rule) {
            Some(known) => drop(gone.remove(known)),
            None => new.push(rule),
        }
    }
    let if_looser = |looser| if looser { Direction::Looser } else { Direction::Tighter };
    let mut all: Vec<Difference> = new
        .iter()
        .map(|rule| Difference::new(if_looser(rule.loosens), format!("a new rule: {}", rule.text)))
        .collect();
    all.extend(
        gone.iter()
            .map(|rule| Difference::new(if_looser(rule.tightens), format!("a rule is gone: {}", rule.text))),
    );
    if all.is_empty() && before != after {
        let what = "rules that name Regions, clusters or resources stand in another order: the last that speaks wins";
        all.push(Difference::new(Direction::Other, what.to_owned()));
    }
    all
}

fn exemptions(before: &[Exemption], after: &[Exemption]) -> Vec<Difference> {
    let days = |all: &[Exemption]| -> BTreeMap<String, jiff::civil::Date> {
        let what = |one: &Exemption| format!("{} on {}, for {}", one.control, one.resource, one.owner);
        all.iter().map(|one| (what(one), one.expires)).collect()
    };
    let (was, is) = (days(before), days(after));
    let mut all = Vec::new();
    for (what, day) in &is {
        match was.get(what) {
            None => {
                let what = format!("a new exemption, through {day}: {what}");
                all.push(Difference::new(Direction::Looser, what));
            }
            Some(then) => {
                let what = format!("an exemption through {day}, where it was {then}: {what}");
                all.extend(Difference::more(then, day, what));
            }
        }
    }
    let gone = was.iter().filter(|(what, _)| !is.contains_key(*what));
    all.extend(gone.map(|(what, day)| {
        Difference::new(Direction::Tighter, format!("an exemption is gone, through {day}: {what}"))
    }));
    all
}

fn budgets(before: &Budget, after: &Budget) -> Vec<Difference> {
    let Budget {
        fixes_per_account_per_hour: fixes,
        messages_per_account_per_hour: messages,
        max_rolling_percent: rolling,
        flip_flops,
        breaker,
    } = after;
    let number = |name: &str, then: &Setting<u32>, now: &Setting<u32>| {
        let what = format!("[budget] {name} is {}, where it was {}", now.value, then.value);
        Difference::more(&then.value, &now.value, what)
    };
    let messages = number("messages_per_account_per_hour", &before.messages_per_account_per_hour, messages);
    [
        number("fixes_per_account_per_hour", &before.fixes_per_account_per_hour, fixes),
        messages.map(|messages| Difference { direction: Direction::Other, ..messages }),
        number("max_rolling_percent", &before.max_rolling_percent, rolling),
        number("flip_flops", &before.flip_flops, flip_flops),
        number("breaker", &before.breaker, breaker),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn delegation(before: &Policy, after: &Policy) -> Vec<Difference> {
    let ((was, were_exempt), (is, are_exempt)) = (before.delegated(), after.delegated());
    let mut all = Vec::new();
    for mode in [Mode::Off, Mode::Notify, Mode::Fix] {
        let (then, now) = (was.contains(&mode), is.contains(&mode));
        let may = if now { "may now say" } else { "may no longer say" };
        all.extend(Difference::more(&then, &now, format!("an account's own parameter {may} {mode}")));
    }
    let may = if are_exempt { "may now" } else { "may no longer" };
    let what = format!("an account's own parameter {may} hold exemptions");
    all.extend(Difference::more(&were_exempt, &are_exempt, what));
    all
}

fn parameters(before: &Policy, after: &Policy) -> Vec<Difference> {
    let mut all = Vec::new();
    for control in controls::ALL {
        for parameter in control.parameters {
            let said = |policy: &Policy| {
                let set = policy.control(control.slug).parameters.get(parameter.name);
                set.map_or_else(|| "not set".to_owned(), |set| set.value.to_string())
            };
            let (then, now) = (said(before), said(after));
            if then != now {
                let what = format!("{} of {} is {now}, where it was {then}", parameter.name, control.slug);
                all.push(Difference::new(Direction::Other, what));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::names;

    fn policy(text: &str) -> Policy {
        Policy::parse("p", &format!("version = 1\n{text}"), &names()).unwrap()
    }

    /// The differences, each behind its direction.
    fn told(before: &str, after: &str) -> Vec<String> {
        let all = differences(&policy(before), &policy(after));
        all.iter().map(|one| format!("{:?}: {}", one.direction, one.what)).collect()
    }

    const INSIGHTS: &str = "[[rules]]\ncontrols = [\"ecs-cluster-container-insights\"]\n";
    const ROOTFS: &str = "[[rules]]\ncontrols = [\"ecs-container-readonly-rootfs\"]\n";

    #[test]
    fn what_becomes_of_a_control_is_told_both_ways() {
        let insights = ": ecs-cluster-container-insights";
        let rootfs = ": ecs-container-readonly-rootfs";
        let every = "in every account";
        let fix = format!("{INSIGHTS}mode = \"fix\"\n");
        let off = format!("{INSIGHTS}mode = \"off\"\n");
        let later = format!("{INSIGHTS}mode = \"fix\"\ngrace = \"1h30m\"\n");
        let then = format!("{INSIGHTS}mode = \"fix\"\nwindows = [\"09:00-16:00 UTC\"]\n");
        let idle = format!("{ROOTFS}mode = \"fix\"\n");
        let rolls = format!("{ROOTFS}mode = \"fix\"\ndisruptive = true\n");
        let owned = format!("{rolls}iac = \"fix\"\n");
        let overtakes = format!("{rolls}supersede = true\n");
        #[rustfmt::skip]
        let rows = [
            ("", &fix, insights, "newly in fix", "no longer in fix, only told"),
            (&off, &fix, insights, "newly in fix", "neither fixed nor told any more"),
            ("", &off, insights, "no longer told", "newly told"),
            (&fix, &later, insights, "a grace of 1h 30m, where it was 0s", "a grace of 0s, where it was 1h 30m"),
            (&fix, &then, insights, "fixes within 09:00-16:00 UTC, where it was at any time", "fixes at any time, where it was within 09:00-16:00 UTC"),
            (&idle, &rolls, rootfs, "newly in fix", "no longer in fix, only told"),
            (&rolls, &owned, rootfs, "what CloudFormation, the CDK, Terraform or Pulumi owns is fixed, too", "what CloudFormation, the CDK, Terraform or Pulumi owns is no longer fixed, too"),
            (&rolls, &overtakes, rootfs, "a fix may overtake the deployment that the violating change started", "a fix may no longer overtake the deployment that the violating change started"),
        ];
        let looser =
            ["newly in fix", "no longer told", "neither", "a grace of 0s", "fixes at any", "a fix may o"];
        let way = |what: &str| {
            let opens = looser.iter().any(|start| what.starts_with(start)) || what.ends_with("is fixed, too");
            if opens { "Looser" } else { "Tighter" }
        };
        for (before, after, control, there, back) in rows {
            for (before, after, what) in [(before, after.as_str(), there), (after, before, back)] {
                assert_eq!(
                    told(before, after),
                    [format!("{}: {what}, {every}{control}", way(what))],
                    "{before} {after}"
                );
            }
        }
        assert_eq!(
            told("", &idle),
            Vec::<String>::new(),
            "its fix starts a deployment, which is not allowed"
        );
        assert_eq!(told(&fix, &fix), Vec::<String>::new());
    }

    #[test]
    fn what_holds_in_several_accounts_is_told_once_and_what_a_person_answers_is_not_in_fix() {
        let after = "[accounts.111122223333]\nname = \"staging\"\nmode = \"fix\"\n[accounts.222233334444]\nmode = \"fix\"\n";
        let said = told("", after);
        let [one] = said.as_slice() else { panic!("{said:?}") };
        let start =
            "Looser: newly in fix, in 111122223333 (staging), 222233334444: ecs-account-container-insights";
        assert!(one.starts_with(start), "{one}");
        assert!(!one.contains("plaintext-secrets") && !one.contains("readonly-rootfs"), "{one}");
        let all = told("", "mode = \"fix\"\ngrace = \"10m\"\n");
        assert!(
            all[0].starts_with("Looser: newly in fix, after a grace of 10m, in every account: "),
            "{all:?}"
        );
    }

    #[test]
    fn a_control_that_is_switched_off_is_no_longer_told() {
        let off = "[controls.ecs-cluster-container-insights]\nenabled = false\n";
        let said = told("", off);
        assert_eq!(said, ["Looser: no longer told, in every account: ecs-cluster-container-insights"]);
    }

    #[test]
    fn rules_about_resources_are_told_as_they_are_written() {
        let groups = "[groups]\nprod = [\"222233334444\"]\n";
        let edge = "[[rules]]\nresources = [\"arn:aws:ecs:*:service/edge/*\"]\ngroups = [\"prod\"]\n";
        let text = [r#"resources = ["arn:aws:ecs:*:service/edge/*"]"#, r#"prod is ["222233334444"]"#];
        for (says, there, back) in [
            ("mode = \"fix\"", "Looser", "Tighter"),
            ("mode = \"off\"", "Looser", "Tighter"),
            ("windows = []", "Looser", "Tighter"),
            ("mode = \"notify\"", "Tighter", "Looser"),
            ("disruptive = false", "Tighter", "Looser"),
            ("grace = \"1h\"", "Tighter", "Looser"),
        ] {
            let rule = format!("{groups}{edge}{says}\n");
            for (before, after, way, what) in
                [(groups, rule.as_str(), there, "a new rule"), (&rule, groups, back, "a rule is gone")]
            {
                let said = told(before, after);
                let [one] = said.as_slice() else { panic!("{said:?}") };
                assert!(one.starts_with(&format!("{way}: {what}: ")), "{one}");
                assert!(one.contains(says) && text.iter().all(|part| one.contains(part)), "{one}");
            }
        }
        let (a, b) = (
            "[[rules]]\nclusters = [\"a\"]\nmode = \"off\"\n",
            "[[rules]]\nregions = [\"eu-west-1\"]\niac = \"fix\"\n",
        );
        let turned = told(&format!("{a}{b}"), &format!("{b}{a}"));
        assert!(turned.len() == 1 && turned[0].contains("in another order"), "{turned:?}");
    }

    #[test]
    fn exemptions_budgets_delegation_and_parameters_are_told() {
        let exempt = |day: &str| {
            format!(
                "[[exemptions]]\ncontrol = \"*\"\nresource = \"*\"\nowner = \"o\"\nreason = \"r\"\nexpires = {day}\n"
            )
        };
        let (short, long) = (exempt("2027-01-31"), exempt("2027-02-28"));
        #[rustfmt::skip]
        let rows = [
            ("", short.as_str(), "Looser: a new exemption, through 2027-01-31: * on *, for o"),
            (&short, "", "Tighter: an exemption is gone, through 2027-01-31: * on *, for o"),
            (&short, &long, "Looser: an exemption through 2027-02-28, where it was 2027-01-31: * on *, for o"),
            ("", "[budget]\nbreaker = 5\n", "Looser: [budget] breaker is 5, where it was 3"),
            ("", "[budget]\nfixes_per_account_per_hour = 5\n", "Tighter: [budget] fixes_per_account_per_hour is 5, where it was 20"),
            ("", "[budget]\nmessages_per_account_per_hour = 5\n", "Other: [budget] messages_per_account_per_hour is 5, where it was 20"),
            ("", "[delegation]\nmodes = [\"fix\"]\n", "Looser: an account's own parameter may now say fix"),
            ("[delegation]\nexemptions = true\n", "", "Tighter: an account's own parameter may no longer hold exemptions"),
            ("", "[controls.ecs-container-readonly-rootfs]\nscratch = [\"/tmp\"]\n", "Other: scratch of ecs-container-readonly-rootfs is [\"/tmp\"], where it was not set"),
        ];
        for (before, after, expected) in rows {
            assert_eq!(told(before, after), [expected]);
        }
    }

    #[test]
    fn what_loosens_comes_first() {
        let after =
            "[delegation]\nexemptions = true\n[budget]\nbreaker = 1\nmessages_per_account_per_hour = 1\n";
        let directions: Vec<Direction> =
            differences(&policy(""), &policy(after)).iter().map(|one| one.direction).collect();
        assert_eq!(directions, [Direction::Looser, Direction::Tighter, Direction::Other]);
    }
}
