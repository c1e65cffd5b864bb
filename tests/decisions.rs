//! What holds of every decision.

use shipshape_core::change::Origin;
use shipshape_core::control::{Compliance, Severity, evaluate};
use shipshape_core::decide::{Decision, History, Proposal, decide};
use shipshape_core::document::Document;
use shipshape_core::facts::{Facts, Need};
use shipshape_core::finding::{Cause, Finding, Owner};
use shipshape_core::policy::{Policy, Switch};
use shipshape_core::preflight::{Preflight, Refusal, WaitFor};
use shipshape_core::remediation::{Safety, plan, prove};
use shipshape_core::resource::{Resource, ResourceId, ResourceType};
use shipshape_core::selection::{Parameters, Selected, Selection, find};
use shipshape_tests::{Call, arn, cluster, policy};

fn preflights(proof: &Preflight) -> Vec<Preflight> {
    let Preflight::Proved(proof) = proof else { panic!("not proved") };
    vec![
        Preflight::Proved(proof.clone()),
        Preflight::Refused(vec![Refusal { topic: "x".to_owned(), sentence: "y".to_owned() }]),
        Preflight::Unknown(vec![Need::Subnet("subnet-1".to_owned())]),
        Preflight::Wait(WaitFor::Deployment("ecs-svc/1".to_owned()), Some(proof.clone())),
        Preflight::Wait(WaitFor::Deployment("ecs-svc/1".to_owned()), None),
    ]
}

/// Every combination of what speaks for and against a fix; a random draw would hardly meet the few that allow one.
#[test]
fn decide_fixes_only_what_everything_allows() {
    let id = ResourceId { kind: ResourceType::Cluster, arn: arn("cluster/shop").parse().unwrap() };
    let resource = Resource::read(id, Document::from_value(&cluster("shop", "disabled"))).unwrap();
    let control = find("ecs-cluster-container-insights").unwrap();
    let facts = Facts::default();
    let selection = Selection::of(&Policy::notify_only(), &[control], Severity::Informational);
    let selected = Selected { control, parameters: Parameters::default() };
    let evaluation = evaluate(&resource, &facts, &selection).remove(0);
    let fix = plan(&resource, &evaluation, &facts, &selected).unwrap();
    let proved = Preflight::Proved(Box::new(prove(&fix, control, &resource, &facts, &selection).unwrap()));
    let preflights = preflights(&proved);
    let Compliance::Failed(violations) = evaluation.compliance else { panic!("passes") };
    let change = Call::create_cluster(0, &cluster("shop", "disabled")).change();
    let flags = [false, true];
    let mut fixed = 0;
    for said in said() {
        for (switch, dry_run) in
            [Switch::Run, Switch::Pause, Switch::Freeze].into_iter().flat_map(|s| flags.map(|d| (s, d)))
        {
            let policy = said.policy.clone().with_switch(switch).with_dry_run(dry_run);
            for bits in 0..8u8 {
                let (own, owned, made) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
                let mut cause = Cause::of(&change);
                if own {
                    cause.origin = Origin::Shipshape;
                }
                let finding = Finding {
                    control,
                    resource: resource.id.clone(),
                    found_in: None,
                    violations: violations.clone(),
                    cause: cause.into(),
                    made_by_cause: made,
                    starts_deployment: made,
                    owner: owned.then_some(Owner::Stack),
                };
                for (which, safety, reverts, failures) in situations() {
                    let mut fix = fix.clone();
                    fix.safety = safety;
                    let history = History { reverts, failures, ..History::default() };
                    let proposal = Proposal { resource: &resource, fix: &fix, preflight: &preflights[which] };
                    let decision = decide(&finding, Some(proposal), &policy, &history, change.time);
                    let ready = which == 0 || (which == 3 && said.supersede && made);
                    let safe = match safety {
                        Safety::Safe => true,
                        Safety::Disruptive => said.disruptive && (!owned || said.iac),
                        Safety::Manual => false,
                    };
                    let allowed = said.mode == "fix" && !said.exempt && !said.grace;
                    let expected = allowed
                        && switch == Switch::Run
                        && !dry_run
                        && !own
                        && ready
                        && safe
                        && reverts < 3
                        && failures < 3;
                    assert_eq!(matches!(decision, Decision::Fix(..)), expected, "{:?}", decision.reason());
                    assert!(!decision.reason().text.is_empty());
                    fixed += u32::from(expected);
                }
                let without = decide(&finding, None, &policy, &History::default(), change.time);
                assert!(!matches!(without, Decision::Fix(..)));
            }
        }
    }
    assert!(fixed > 50, "only {fixed} combinations allow a fix");
}

/// What a policy said.
struct Said {
    policy: Policy,
    mode: &'static str,
    disruptive: bool,
    iac: bool,
    supersede: bool,
    grace: bool,
    exempt: bool,
}

fn said() -> Vec<Said> {
    let exemption = "[[exemptions]]\ncontrol = \"*\"\nresource = \"*\"\nowner = \"a\"\nreason = \"b\"\nexpires = 2027-01-31\n";
    let mut all = Vec::new();
    for mode in ["off", "notify", "fix"] {
        for bits in 0..32u8 {
            let [disruptive, iac, supersede, grace, exempt] = [1, 2, 4, 8, 16].map(|bit| bits & bit > 0);
            let text = format!(
                "mode = \"{mode}\"\ndisruptive = {disruptive}\niac = \"{}\"\nsupersede = {supersede}\n{}{}",
                if iac { "fix" } else { "notify" },
                if grace { "grace = \"30m\"\n" } else { "" },
                if exempt { exemption } else { "" },
            );
            all.push(Said { policy: policy(&text), mode, disruptive, iac, supersede, grace, exempt });
        }
    }
    all
}

fn situations() -> Vec<(usize, Safety, u32, u32)> {
    let mut all = Vec::new();
    for which in 0..5 {
        for safety in [Safety::Manual, Safety::Disruptive, Safety::Safe] {
            for (reverts, failures) in [(0, 0), (2, 2), (3, 0), (0, 3)] {
                all.push((which, safety, reverts, failures));
            }
        }
    }
    all
}
