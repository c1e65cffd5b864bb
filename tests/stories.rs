//! Stories on the inventory, named as the promises that they keep.

use serde_json::{Value, json};
use shipshape_core::control::Compliance;
use shipshape_core::controls;
use shipshape_core::policy::{Policy, Switch};
use shipshape_core::remediation::Safety;
use shipshape_core::resource::Body;
use shipshape_tests::{
    Call, FIX, INSIGHTS, NON_ROOT, PRIVILEGED, PUBLIC_IP, arn, cluster, good_task, nat_network, policy,
    privileged, service, story, walk, with_task, world, world_passing,
};

#[test]
fn dry_run_is_the_real_plan() {
    let call = [Call::create_cluster(0, &cluster("shop", "disabled"))];
    let fixed = walk(&mut world(policy(FIX), &[]), &call, INSIGHTS);
    let told = walk(&mut world(Policy::notify_only(), &[]), &call, INSIGHTS);
    let capped = walk(&mut world(policy(FIX).with_dry_run(true), &[]), &call, INSIGHTS);
    assert_eq!(story(&fixed), ["failed fix applied"]);
    assert_eq!(story(&told), ["failed notify notified"]);
    assert_eq!(story(&capped), ["failed notify notified"]);
    assert!(fixed[0].fix.is_some());
    assert_eq!(fixed[0].fix, told[0].fix);
    assert_eq!(fixed[0].fix, capped[0].fix);
}

#[test]
fn later_events_see_earlier_fixes() {
    let calls = [
        Call::create_cluster(0, &cluster("shop", "disabled")),
        Call::new(
            "PutClusterCapacityProviders",
            5,
            json!({"cluster": "shop", "capacityProviders": ["FARGATE"]}),
            json!({"cluster": cluster("shop", "disabled")}),
        ),
    ];
    assert_eq!(
        story(&walk(&mut world(policy(FIX), &[]), &calls, INSIGHTS)),
        ["failed fix applied", "passed"]
    );
    // Without our fix the same events say that it is still so, which is told once.
    let told = walk(&mut world(Policy::notify_only(), &[]), &calls, INSIGHTS);
    assert_eq!(story(&told), ["failed notify notified", "failed notify repeated"]);
}

#[test]
fn what_is_put_back_is_fixed_again_until_it_is_left_alone() {
    let off = cluster("shop", "disabled");
    let mut calls = vec![Call::create_cluster(0, &off)];
    calls.extend((1..=4).map(|turn| Call::update_settings(turn * 10, &off)));
    let judged = walk(&mut world(policy(FIX), &[]), &calls, INSIGHTS);
    assert_eq!(
        story(&judged),
        [
            "failed fix applied",
            "failed fix applied",
            "failed fix applied",
            "failed notify notified",
            "failed notify notified"
        ]
    );
    let reason = &judged[3].ruling.as_ref().unwrap().reason.text;
    assert!(reason.contains("reverted 3 times within 24 hours"), "{reason}");
    let incidents: std::collections::BTreeSet<_> = judged.iter().map(|one| one.incident.clone()).collect();
    assert_eq!(incidents.len(), 5, "each change is an incident of its own");
}

#[test]
fn a_better_setting_is_never_lowered() {
    let calls = [Call::create_cluster(0, &cluster("shop", "enhanced"))];
    assert_eq!(story(&walk(&mut world(policy(FIX), &[]), &calls, INSIGHTS)), ["passed"]);
}

#[test]
fn a_change_of_something_else_is_a_repeat_and_not_told_again() {
    let task = good_task("checkout", 7);
    let open = service("checkout", "checkout:7", "ENABLED");
    let calls = [
        Call::create_service(0, &open),
        Call::update_service(5, &open, &["desiredCount"]),
        Call::update_service(9, &open, &["networkConfiguration"]),
    ];
    let mut world = world(Policy::notify_only(), &with_task(nat_network(), &task));
    let judged = walk(&mut world, &calls, PUBLIC_IP);
    assert_eq!(
        story(&judged),
        ["failed notify notified", "failed notify repeated", "failed notify notified"]
    );
    assert_eq!(judged[0].incident, judged[1].incident);
    assert_ne!(judged[0].incident, judged[2].incident);
}

#[test]
fn messages_past_the_hours_budget_become_one_summary() {
    let text = "[budget]\nmessages_per_account_per_hour = 2\n";
    let mut world = world(policy(text), &[]);
    for minute in [0, 1, 2, 3, 4, 70] {
        world.walk(&Call::create_cluster(minute, &cluster(&format!("c{minute}"), "disabled")).change());
    }
    assert_eq!(world.messages().all, 4, "two, the summary, and one in the next hour");
}

#[test]
fn an_exemption_suppresses_until_its_last_day() {
    let text = |expires: &str| {
        format!(
            "mode = \"fix\"\n[[exemptions]]\ncontrol = \"{INSIGHTS}\"\nresource = \"*\"\nowner = \"team-a\"\nreason = \"costs\"\nexpires = {expires}\n"
        )
    };
    let call = [Call::create_cluster(0, &cluster("shop", "disabled"))];
    let live = walk(&mut world(policy(&text("2026-11-03")), &[]), &call, INSIGHTS);
    assert_eq!(story(&live), ["failed suppress suppressed"]);
    let expired = walk(&mut world(policy(&text("2026-11-02")), &[]), &call, INSIGHTS);
    assert_eq!(story(&expired), ["failed fix applied"]);
    let notes = &expired[0].ruling.as_ref().unwrap().reason.notes;
    assert!(notes[0].contains("expired after 2026-11-02"), "{notes:?}");
}

#[test]
fn past_the_budget_people_are_told_instead() {
    let text = "mode = \"fix\"\n[budget]\nfixes_per_account_per_hour = 2\n";
    let calls: Vec<Call> = [0, 1, 2, 70]
        .into_iter()
        .map(|minute| Call::create_cluster(minute, &cluster(&format!("c{minute}"), "disabled")))
        .collect();
    assert_eq!(
        story(&walk(&mut world(policy(text), &[]), &calls, INSIGHTS)),
        ["failed fix applied", "failed fix applied", "failed notify notified", "failed fix applied"]
    );
}

#[test]
fn no_more_than_the_policys_share_of_a_cluster_rolls_at_once() {
    let task = good_task("web", 1);
    let state = with_task(nat_network(), &task);
    let calls = |minutes: [u32; 3]| {
        minutes
            .map(|minute| Call::create_service(minute, &service(&format!("s{minute}"), "web:1", "ENABLED")))
    };
    let judged = walk(&mut world(policy(FIX), &state), &calls([0, 1, 30]), PUBLIC_IP);
    assert_eq!(story(&judged), ["failed fix applied", "failed notify notified", "failed fix applied"]);
    // Of forty services, ten percent are four.
    let mut large = cluster("shop", "enabled");
    large["activeServicesCount"] = json!(40);
    let mut state = state;
    state.push(json!({"clusters": [large]}));
    let judged = walk(&mut world(policy(FIX), &state), &calls([0, 1, 2]), PUBLIC_IP);
    assert_eq!(story(&judged), ["failed fix applied"; 3]);
}

#[test]
fn pause_and_freeze_stop_every_new_fix() {
    let call = [Call::create_cluster(0, &cluster("shop", "disabled"))];
    for switch in [Switch::Pause, Switch::Freeze] {
        let judged = walk(&mut world(policy(FIX).with_switch(switch), &[]), &call, INSIGHTS);
        assert_eq!(story(&judged), ["failed notify notified"], "{switch}");
    }
}

#[test]
fn our_own_change_is_judged_and_never_fixed() {
    let own = json!({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {
        "arn": "arn:aws:iam::111122223333:role/shipshape/cluster"}}});
    let call = Call::update_settings(0, &cluster("shop", "disabled")).with("userIdentity", own);
    let judged = walk(&mut world(policy(FIX), &[]), &[call], INSIGHTS);
    assert_eq!(story(&judged), ["failed notify notified"]);
}

#[test]
fn of_two_violations_one_at_fix_and_one_at_notify_only_the_first_is_written() {
    let mut task = privileged("checkout", 7);
    task["containerDefinitions"][0]["user"] = json!("root");
    let text = format!(
        "{FIX}[controls.{NON_ROOT}]\nuser = \"1000\"\n[[rules]]\ncontrols = [\"{NON_ROOT}\"]\nmode = \"notify\"\n"
    );
    let mut world = world(policy(&text), &[]);
    let step = world.walk(&Call::register(0, &task).change());
    let lines: Vec<_> = step
        .judgements
        .iter()
        .map(|one| (one.evaluation.control.slug, story(std::slice::from_ref(one)).remove(0)))
        .collect();
    assert!(lines.contains(&(PRIVILEGED, "failed fix applied".to_owned())), "{lines:?}");
    assert!(lines.contains(&(NON_ROOT, "failed notify notified".to_owned())), "{lines:?}");
    let mended = world.facts().mended(&arn("task-definition/checkout:7").parse().unwrap()).unwrap();
    let Body::TaskDefinition(mended) = &mended.body else { panic!("not a task definition") };
    let container = &mended.container_definitions.items()[0];
    assert_eq!(container.privileged.known(), Some(&false));
    assert_eq!(container.user.text(), Some("root"));
}

#[test]
fn a_service_moves_to_the_mended_revision_of_what_it_runs() {
    let calls = [
        Call::register(0, &privileged("checkout", 7)),
        Call::create_service(5, &service("checkout", "checkout:7", "DISABLED")),
    ];
    let mut world = world(policy(FIX), &[]);
    let judged = walk(&mut world, &calls, PRIVILEGED);
    assert_eq!(story(&judged), ["failed fix applied", "failed fix applied"]);
    let known = world.facts().resource(&arn("service/shop/checkout").parse().unwrap()).unwrap();
    let Body::Service(known) = &known.body else { panic!("not a service") };
    assert_eq!(known.task_definition.text(), Some(arn("task-definition/checkout:7-mended").as_str()));
}

#[test]
fn scaling_a_service_on_a_violating_revision_is_a_repeat() {
    let running = service("checkout", "checkout:7", "DISABLED");
    let calls = [
        Call::create_service(0, &running),
        Call::update_service(5, &running, &["desiredCount"]),
        Call::update_service(9, &running, &["taskDefinition"]),
    ];
    let state = [json!({"taskDefinition": privileged("checkout", 7)})];
    let judged = walk(&mut world(Policy::notify_only(), &state), &calls, PRIVILEGED);
    assert_eq!(
        story(&judged),
        ["failed notify notified", "failed notify repeated", "failed notify notified"]
    );
}

#[test]
fn a_service_does_not_wait_for_a_revision_that_only_a_person_can_mend() {
    let mut task = good_task("checkout", 7);
    task["volumes"] = json!([{"name": "socket", "host": {"sourcePath": "/var/run/docker.sock"}}]);
    let container = &mut task["containerDefinitions"][0];
    container["mountPoints"] = json!([{"sourceVolume": "socket", "containerPath": "/socket"}]);
    container.as_object_mut().unwrap().remove("memory");
    container.as_object_mut().unwrap().remove("user");
    let state = [json!({"taskDefinition": task})];
    let calls = [Call::create_service(0, &service("checkout", "checkout:7", "DISABLED"))];
    for control in ["ecs-no-docker-socket-mount", "ecs-container-memory-limit", NON_ROOT] {
        let asked = policy(&format!("{FIX}[controls.{control}]\nenabled = true\n"));
        let judged = walk(&mut world(asked, &state), &calls, control);
        assert_eq!(story(&judged), ["failed notify notified"], "{control}");
        // What it proposes is what the revision's own finding does, where that proposes anything.
        let proposed =
            judged[0].fix.as_ref().map(|fix| (fix.safety, fix.summary.contains("then move the service")));
        let expected = (control != "ecs-container-memory-limit").then_some((Safety::Manual, true));
        assert_eq!(proposed, expected, "{control}");
    }
    let named = policy(&format!("{FIX}[controls.{NON_ROOT}]\nuser = \"1000\"\n"));
    assert_eq!(story(&walk(&mut world(named, &state), &calls, NON_ROOT))[0], "failed wait waiting");
}

#[test]
fn a_mended_revision_is_registered_once_however_often_the_old_one_is_started() {
    let run = |minute: u32| {
        let tasks = json!({"tasks": [{"taskArn": arn(&format!("task/shop/{minute}")),
            "taskDefinitionArn": arn("task-definition/checkout:7")}], "failures": []});
        Call::new("RunTask", minute, json!({"cluster": "shop", "taskDefinition": "checkout:7"}), tasks)
    };
    let calls = [Call::register(0, &privileged("checkout", 7)), run(5), run(10), run(15), run(20)];
    let judged = walk(&mut world(policy(FIX), &[]), &calls, PRIVILEGED);
    assert_eq!(story(&judged)[0], "failed fix applied");
    assert_eq!(story(&judged)[1..], ["passed"; 4], "its place is taken by the mended revision");
    let told = walk(&mut world(Policy::notify_only(), &[]), &calls, PRIVILEGED);
    assert_eq!(story(&told)[1..], ["failed notify repeated"; 4]);
}

#[test]
fn a_service_answers_for_a_revision_that_is_deregistered_by_now() {
    let task = privileged("checkout", 7);
    let gone = Call::new(
        "DeregisterTaskDefinition",
        3,
        json!({"taskDefinition": "checkout:7"}),
        json!({"taskDefinition": task}),
    );
    let calls = [
        Call::register(0, &task),
        gone,
        Call::create_service(5, &service("checkout", "checkout:7", "DISABLED")),
    ];
    let judged = walk(&mut world(Policy::notify_only(), &[]), &calls, PRIVILEGED);
    assert_eq!(story(&judged), ["failed notify notified", "failed notify notified"]);
}

#[test]
fn roles_outside_passable_roles_are_refused_by_name() {
    let mut task = privileged("checkout", 7);
    task["executionRoleArn"] = json!("arn:aws:iam::111122223333:role/app/exec");
    let call = [Call::register(0, &task)];
    let refused = walk(&mut world(policy(FIX), &[]), &call, PRIVILEGED);
    assert_eq!(story(&refused), ["failed notify notified"]);
    assert!(refused[0].ruling.as_ref().unwrap().reason.text.contains("PassableRoles"));
    let allowed = world_passing(policy(FIX), &[], &["arn:aws:iam::111122223333:role/app/*"]);
    assert_eq!(story(&walk(&mut { allowed }, &call, PRIVILEGED)), ["failed fix applied"]);
}

#[test]
fn unknown_is_neither_compliant_nor_a_violation_and_told_once() {
    let mut hidden = cluster("shop", "enabled");
    hidden.as_object_mut().unwrap().remove("settings");
    let calls = [Call::create_cluster(0, &hidden), Call::update_settings(5, &hidden)];
    let judged = walk(&mut world(policy(FIX), &[]), &calls, INSIGHTS);
    assert_eq!(story(&judged), ["unknown notify notified", "unknown notify repeated"]);
    // What a description shows answers it.
    let state = [json!({"clusters": [cluster("shop", "enabled")]})];
    let mut knowing = world(policy(FIX), &state);
    assert_eq!(story(&walk(&mut knowing, &calls[..1], INSIGHTS)), ["passed"]);
}

#[test]
fn what_a_stack_owns_is_told_with_the_owner() {
    let task = good_task("checkout", 7);
    let mut owned = service("checkout", "checkout:7", "ENABLED");
    owned["tags"] = json!([{"key": "aws:cloudformation:stack-name", "value": "shop"}]);
    let text = "mode = \"fix\"\ndisruptive = true\n";
    let mut world = world(policy(text), &with_task(nat_network(), &task));
    let judged = walk(&mut world, &[Call::create_service(0, &owned)], PUBLIC_IP);
    assert_eq!(story(&judged), ["failed notify notified"]);
    assert!(judged[0].ruling.as_ref().unwrap().reason.text.contains("CloudFormation owns"));
}

#[test]
fn the_preflight_names_what_is_missing() {
    let task = good_task("checkout", 7);
    let cases: [(&str, Value, &str); 5] = [
        (
            "controller",
            json!({"deploymentController": {"type": "CODE_DEPLOY"}}),
            "AWS CodeDeploy rolls this service",
        ),
        ("external", json!({"deploymentController": {"type": "EXTERNAL"}}), "external controller"),
        ("express", json!({"resourceManagementType": "ECS"}), "Express Mode"),
        ("daemon", json!({"schedulingStrategy": "DAEMON"}), "daemon service"),
        ("strategy", json!({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}), "BLUE_GREEN"),
    ];
    for (name, members, expected) in cases {
        let mut open = service("checkout", "checkout:7", "ENABLED");
        for (member, value) in members.as_object().unwrap() {
            open[member] = value.clone();
        }
        let mut world = world(policy(FIX), &with_task(nat_network(), &task));
        let judged = walk(&mut world, &[Call::create_service(0, &open)], PUBLIC_IP);
        assert_eq!(story(&judged), ["failed notify notified"], "{name}");
        let reason = &judged[0].ruling.as_ref().unwrap().reason.text;
        assert!(reason.contains(expected), "{name}: {reason}");
    }
}

#[test]
fn missing_facts_are_named_by_the_call_that_answers_them() {
    let open = service("checkout", "checkout:7", "ENABLED");
    let state = [json!({"taskDefinition": good_task("checkout", 7)})];
    let judged = walk(&mut world(policy(FIX), &state), &[Call::create_service(0, &open)], PUBLIC_IP);
    assert_eq!(story(&judged), ["failed notify notified"]);
    let reason = &judged[0].ruling.as_ref().unwrap().reason.text;
    assert!(reason.contains("aws ec2 describe-subnets --subnet-ids subnet-nat"), "{reason}");
}

#[test]
fn a_service_is_unknown_until_its_revision_is_known() {
    let call = [Call::create_service(0, &service("checkout", "checkout:7", "DISABLED"))];
    let judged = walk(&mut world(policy(FIX), &[]), &call, PRIVILEGED);
    assert_eq!(story(&judged), ["unknown notify notified"]);
    let Compliance::Unknown(needs) = &judged[0].evaluation.compliance else { panic!("known") };
    assert!(needs[0].call().contains("describe-task-definition --task-definition checkout:7"), "{needs:?}");
}

#[test]
fn a_revision_mended_for_a_second_reason_keeps_the_first_mend() {
    let mut task = privileged("checkout", 7);
    task["containerDefinitions"][0]["user"] = json!("root");
    let until = "[[exemptions]]\ncontrol = \"ecs-container-non-root-user\"\nresource = \"*\"\nowner = \"a\"\nreason = \"b\"\nexpires = 2026-11-03\n";
    let text = format!("{FIX}[controls.{NON_ROOT}]\nuser = \"1000\"\n{until}");
    let mut world = world(policy(&text), &[]);
    world.walk(&Call::register(0, &task).change());
    let next_day = json!("2026-11-04T09:00:00Z");
    let start = Call::create_service(5, &service("checkout", "checkout:7", "DISABLED"));
    world.walk(&start.with("eventTime", next_day).change());
    let known = world.facts().mended(&arn("task-definition/checkout:7").parse().unwrap()).unwrap();
    let Body::TaskDefinition(known) = &known.body else { panic!("not a task definition") };
    let container = &known.container_definitions.items()[0];
    assert_eq!((container.privileged.known(), container.user.text()), (Some(&false), Some("1000")));
    let running = world.facts().resource(&arn("service/shop/checkout").parse().unwrap()).unwrap();
    let Body::Service(running) = &running.body else { panic!("not a service") };
    assert_eq!(
        running.task_definition.text(),
        Some(arn("task-definition/checkout:7-mended-mended").as_str())
    );
}

#[test]
fn what_passed_in_between_is_told_again() {
    let open = |revision: &str| service("checkout", revision, "DISABLED");
    let state = [
        json!({"taskDefinition": privileged("checkout", 7)}),
        json!({"taskDefinition": good_task("checkout", 8)}),
    ];
    let calls = [
        Call::create_service(0, &open("checkout:7")),
        Call::update_service(5, &open("checkout:8"), &["taskDefinition"]),
        Call::update_service(9, &open("checkout:7"), &["desiredCount"]),
    ];
    let judged = walk(&mut world(Policy::notify_only(), &state), &calls, PRIVILEGED);
    assert_eq!(story(&judged), ["failed notify notified", "passed", "failed notify notified"]);
}

#[test]
fn an_exemption_covers_what_cannot_be_judged() {
    let mut hidden = cluster("shop", "enabled");
    hidden.as_object_mut().unwrap().remove("settings");
    let text = "[[exemptions]]\ncontrol = \"*\"\nresource = \"*\"\nowner = \"a\"\nreason = \"b\"\nexpires = 2027-01-31\n";
    let judged = walk(&mut world(policy(text), &[]), &[Call::create_cluster(0, &hidden)], INSIGHTS);
    assert_eq!(story(&judged), ["unknown suppress suppressed"]);
}

#[test]
fn one_change_that_puts_back_three_things_is_one_revert() {
    let mut task = privileged("checkout", 7);
    task["containerDefinitions"][0]["user"] = json!("root");
    task["containerDefinitions"][0]["readonlyRootFilesystem"] = json!(false);
    let set = format!(
        "[controls.{NON_ROOT}]\nuser = \"1000\"\n[controls.ecs-container-readonly-rootfs]\nscratch = [\"/tmp\"]\n"
    );
    let running = service("checkout", "checkout:7", "DISABLED");
    let calls = [
        Call::register(0, &task),
        Call::create_service(5, &running),
        Call::update_service(30, &running, &["taskDefinition"]),
    ];
    let mut world = world(policy(&format!("{FIX}{set}")), &[]);
    let steps: Vec<_> = calls.iter().map(|call| world.walk(&call.change())).collect();
    let last = &steps[2].judgements;
    let fixed =
        last.iter().filter(|one| one.outcome.as_ref().is_some_and(|end| end.as_str() == "applied")).count();
    assert_eq!(fixed, 3, "{:?}", story(last));
}

#[test]
fn the_accounts_default_decides_how_a_container_logs_that_names_no_mode() {
    let put = |minute: u32, value: &str| {
        let setting = json!({"name": "defaultLogDriverMode", "value": value,
            "principalArn": "arn:aws:iam::111122223333:root", "type": "user"});
        let request = json!({"name": "defaultLogDriverMode", "value": value});
        Call::new("PutAccountSettingDefault", minute, request, json!({ "setting": setting }))
    };
    let gone = Call::new(
        "DeleteAccountSetting",
        25,
        json!({"name": "defaultLogDriverMode"}),
        json!({"setting": {"name": "defaultLogDriverMode", "principalArn": "arn:aws:iam::111122223333:root"}}),
    );
    let calls = [
        Call::register(0, &good_task("checkout", 7)),
        put(5, "non-blocking"),
        Call::register(10, &good_task("checkout", 8)),
        put(15, "blocking"),
        Call::register(20, &good_task("checkout", 9)),
        gone.clone(),
        Call::register(30, &good_task("checkout", 10)),
    ];
    let slug = "ecs-log-nonblocking-mode";
    let on = policy(&format!("[controls.{slug}]\nenabled = true\n"));
    let statuses = |state: &[Value], calls: &[Call]| {
        let judged = walk(&mut world(on.clone(), state), calls, slug);
        judged.iter().map(|one| one.evaluation.compliance.status()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&[], &calls), ["unknown", "passed", "failed", "unknown"]);
    // What an answer told is told by it alone, until an event tells otherwise.
    let described = json!({"settings": [{"name": "defaultLogDriverMode", "value": "blocking",
        "principalArn": "arn:aws:iam::111122223333:root", "type": "user"}]});
    let told = std::slice::from_ref(&described);
    assert_eq!(statuses(told, &calls[..1]), ["failed"]);
    assert_eq!(statuses(told, &calls[1..3]), ["passed"]);
    assert_eq!(statuses(told, &[gone, Call::register(30, &good_task("checkout", 10))]), ["unknown"]);
}

/// Whatever is switched on, and whatever is printed of what was judged, planned and decided.
#[test]
fn no_value_that_containers_are_handed_is_ever_told() {
    let planted = "PLANTED7canary";
    let mut task = privileged("checkout", 7);
    task["containerDefinitions"][0]["environment"] = json!([{"name": "DB_PASSWORD", "value": planted},
        {"name": "AWS_SECRET_ACCESS_KEY", "value": planted}, {"name": "URL", "value": format!("amqp://u:{planted}@q")}]);
    task["containerDefinitions"][0]["command"] = json!(["serve", format!("--token={planted}")]);
    task["containerDefinitions"][0]["entryPoint"] = json!([format!("API_KEY={planted}")]);
    task["containerDefinitions"][0]["dockerLabels"] = json!({"api-key": planted});
    task["containerDefinitions"][0]["logConfiguration"] = json!({"logDriver": "splunk", "options": {
        "splunk-token": planted, "mode": "blocking"}});
    let tasks = json!({"tasks": [{"taskArn": arn("task/shop/1"), "taskDefinitionArn": arn("task-definition/checkout:7")}], "failures": []});
    let overrides = json!({"containerOverrides": [{"name": "web", "command": [format!("--token={planted}")],
        "environment": [{"name": "DB_PASSWORD", "value": planted}]}]});
    let calls = [
        Call::register(0, &task),
        Call::new("RunTask", 5, json!({"taskDefinition": "checkout:7", "overrides": overrides}), tasks),
        Call::create_service(10, &service("checkout", "checkout:7", "DISABLED")),
    ];
    let on: String =
        controls::ALL.iter().map(|one| format!("[controls.{}]\nenabled = true\n", one.slug)).collect();
    for mode in ["mode = \"notify\"\n", FIX] {
        let mut world = world(policy(&format!("{mode}{on}")), &nat_network());
        let mut failed = 0;
        for call in &calls {
            for judgement in world.walk(&call.change()).judgements {
                let violations = match &judgement.evaluation.compliance {
                    Compliance::Failed(violations) => serde_json::to_string(violations).unwrap(),
                    _ => String::new(),
                };
                failed += u32::from(!violations.is_empty());
                let said = format!("{judgement:?} {violations}");
                assert!(!said.contains(planted), "{}: {said}", judgement.evaluation.control.slug);
            }
        }
        assert!(failed >= 7, "only {failed} fail");
    }
}
