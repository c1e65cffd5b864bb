//! Services that share their hosts' network are not open to the world: no group of a host lets any address reach a
//! port that a container opens on it.
//!
//! In the modes `host` and `bridge` tasks have no group but their host's. A container's port is the host's in `host`; in
//! `bridge` it is the host port, or any ephemeral one where ECS picks it. The world is a range of length zero of either
//! family, or ranges that together are all of it. A service may be placed on every host of its cluster, or of its
//! capacity providers, so that any host counts; placement constraints are not read, and said.
//!
//! Ports 80 and 443 may be open unless the policy says otherwise: a public proxy on EC2 needs them, and EC2.18 allows
//! them. Says nothing of ports that a program in `host` opens and does not declare, of a host's further interfaces, of
//! task sets, and of whether a host has a public address, which its next launch may give it.

use std::collections::BTreeSet;

use crate::control::{
    Compliance, Context, Control, Functions, NO_KEY, Practice, Ratchet, Rule, Severity, Violation, no_fix,
};
use crate::document::Field;
use crate::facts::hosts::{ContainerInstance, Machine};
use crate::facts::network::ingress::World;
use crate::facts::{Facts, Need};
use crate::ids::Arn;
use crate::policy::{Parameter, ParameterKind};
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::{Body, Service};

pub(super) static CONTROL: Control = Control {
    slug: "ecs-host-mode-security-group",
    title: "Hosts let the world reach no port of a service",
    severity: Severity::High,
    standards: &[],
    practice: Some(Practice::NetworkSecurity),
    rationale: "A task without an interface of its own is as open as its host: a group made for hosts, or for \
                another service, opens this one too, past its load balancer.",
    template: "the load balancer's group as SourceSecurityGroupId in place of CidrIp 0.0.0.0/0 in the \
               AWS::EC2::SecurityGroup of the hosts, or NetworkMode: awsvpc; Terraform: referenced_security_group_id in \
               place of cidr_ipv4 in aws_vpc_security_group_ingress_rule",
    prevention: NO_KEY,
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/networking-networkmode-bridge.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[Parameter {
        name: "allowed_ports",
        kind: ParameterKind::TextList,
        about: "ports of hosts that the world may reach; unset, [\"80\", \"443\"]",
    }],
    rule: Rule::Service(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

const CONSTRAINED: &str = "; placement constraints, which are not read, may keep it off such hosts";
const EXPECTED: &str = "hosts that are closed to the world";

fn check(service: &Service, context: &Context<'_>) -> Compliance {
    if let Some(reason) = not_concerned(service) {
        return Compliance::NotApplicable(reason);
    }
    let id = &context.resource.id;
    let (Some(revision), Some(cluster), Some(providers)) =
        (service.revision(), id.cluster_arn(), service.providers())
    else {
        return Compliance::Unknown(vec![Need::Resource(id.clone())]);
    };
    let Some(Body::TaskDefinition(task)) = context.facts.resource(&revision.arn).map(|known| &known.body)
    else {
        // Without awsvpc networking the hosts will be needed too: asking now saves a round.
        let listed = context.facts.hosts.of_cluster(&cluster).is_some();
        let hosts = (!listed).then_some(Need::ContainerInstances(cluster));
        return Compliance::Unknown([Need::Resource(revision)].into_iter().chain(hosts).collect());
    };
    let ports = match task.host_ports() {
        Field::Absent => return Compliance::NotApplicable("its tasks do not share their hosts' network"),
        Field::Known(ports) if !ports.is_empty() => ports,
        Field::Known(_) if task.is_shown() => {
            return Compliance::NotApplicable("its containers declare no port of their host");
        }
        Field::Known(_) | Field::Hidden => return Compliance::Unknown(vec![Need::Resource(revision)]),
    };
    let (groups, mut needs) = groups_of_hosts(&providers, &cluster, context.facts);
    if groups.is_empty() && needs.is_empty() {
        return Compliance::NotApplicable("its hosts are outside of EC2, and have no groups");
    }
    let allowed = context.parameters.list_or("allowed_ports", &["80", "443"]);
    let allowed: Vec<u16> = allowed.iter().filter_map(|port| port.parse().ok()).collect();
    let mut found = BTreeSet::new();
    for (groups, ports) in groups.iter().flat_map(|groups| ports.iter().map(move |ports| (groups, ports))) {
        match context.facts.network.world(groups, ports, &allowed) {
            World::Shut => {}
            World::Unknown(missing) => needs.extend(missing),
            World::Reaches(port, by) => {
                found.insert(format!("{}: the world reaches {}", by.join(" and "), ports.describe(port)));
            }
        }
    }
    needs.sort();
    needs.dedup();
    let constrained = service.placement_constraints.items().first().map_or("", |_| CONSTRAINED);
    let violation = |what| Violation::new("/taskDefinition", format!("{what}{constrained}"), EXPECTED);
    Compliance::of(found.into_iter().map(violation).collect(), needs)
}

fn not_concerned(service: &Service) -> Option<&'static str> {
    if service.status.text().is_some_and(|status| status != "ACTIVE") {
        Some("the service is not active")
    } else if service.on_fargate() == Field::Known(true) || service.awsvpc().known().is_some() {
        Some("its tasks have interfaces, and groups, of their own")
    } else if service.launch_type.text() == Some("EXTERNAL") {
        Some("its hosts are outside of EC2, and have no groups")
    } else if service.task_definition.is_absent() {
        Some("the service names no task definition: its task sets do")
    } else {
        None
    }
}

/// The groups of every host that may take the service's tasks, and what is missing of them. Hosts of one Auto
/// Scaling group have the same groups, and count once.
fn groups_of_hosts<'a>(
    providers: &BTreeSet<&str>,
    cluster: &Arn,
    facts: &'a Facts,
) -> (BTreeSet<BTreeSet<&'a str>>, Vec<Need>) {
    let (mut together, mut needs) = (BTreeSet::new(), Vec::new());
    let takes = |host: &&ContainerInstance| {
        let provider = &host.capacity_provider_name;
        let ours = provider.is_hidden() || provider.text().is_some_and(|name| providers.contains(name));
        host.in_service() && (providers.is_empty() || ours)
    };
    let hosts: Vec<_> = facts.hosts.of_cluster(cluster).into_iter().flatten().filter(takes).collect();
    if hosts.is_empty() {
        needs.push(Need::ContainerInstances(cluster.clone()));
    }
    for host in hosts.into_iter().filter(|host| !host.is_external()) {
        let instance = host.ec2_instance_id.text();
        match instance.map(|id| (id, facts.hosts.machine(id).and_then(Machine::groups))) {
            None => needs.push(Need::ContainerInstances(cluster.clone())),
            Some((id, None)) => needs.push(Need::Instance(id.to_owned())),
            Some((_, Some(groups))) => {
                together.insert(groups);
            }
        }
    }
    (together, needs)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check_knowing, facts, judge_with, resource, task};
    use crate::resource::ResourceType;
    use crate::selection::Parameters;

    const HERE: &[&str] = &["/taskDefinition"];
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

    fn service() -> Value {
        json!({"status": "ACTIVE", "launchType": "EC2",
            "taskDefinition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/checkout:7"})
    }

    fn service_with(members: Value) -> Value {
        let mut service = service();
        for (member, value) in members.as_object().unwrap() {
            service[member] = value.clone();
        }
        service
    }

    fn revision(mode: Value, ports: Value) -> Value {
        let mut task = task(&[json!({"name": "web", "portMappings": ports})]);
        task["taskDefinitionArn"] = service()["taskDefinition"].clone();
        task["networkMode"] = mode;
        json!({ "taskDefinition": task })
    }

    fn on_8080() -> Value {
        revision(json!("host"), json!([{"containerPort": 8080}]))
    }

    fn instance(id: &str, more: Value) -> Value {
        let arn = format!("arn:aws:ecs:eu-west-1:111122223333:container-instance/shop/{id}");
        let mut instance = json!({"containerInstanceArn": arn, "ec2InstanceId": id, "status": "ACTIVE"});
        for (member, value) in more.as_object().unwrap() {
            instance[member] = value.clone();
        }
        instance
    }

    fn hosts(instances: &[Value]) -> Value {
        json!({ "containerInstances": instances })
    }

    fn machine(id: &str, groups: &[&str]) -> Value {
        let groups: Vec<Value> = groups.iter().map(|id| json!({ "GroupId": id })).collect();
        json!({"Reservations": [{"Instances": [{"InstanceId": id, "SecurityGroups": groups}]}]})
    }

    fn group(id: &str, permissions: Value) -> Value {
        json!({"SecurityGroups": [{"GroupId": id, "IpPermissions": permissions}]})
    }

    fn open(from: i32, to: i32, cidr: &str) -> Value {
        json!({"IpProtocol": "tcp", "FromPort": from, "ToPort": to, "IpRanges": [{"CidrIp": cidr}]})
    }

    /// One host, `i-1`, in the group `sg-1` with these permissions.
    fn world(revision: Value, permissions: Value) -> Vec<Value> {
        vec![
            revision,
            hosts(&[instance("i-1", json!({}))]),
            machine("i-1", &["sg-1"]),
            group("sg-1", permissions),
        ]
    }

    fn rows(rows: &[(&str, Vec<Value>, crate::controls::table::Expect)]) {
        for (name, known, expect) in rows {
            check_knowing(&CONTROL, &Parameters::default(), &facts(known), &[(name, service(), *expect)]);
        }
    }

    #[test]
    fn what_the_host_opens_is_held_against_what_its_group_lets_in() {
        let mapped = |mode: &str, ports: Value, from: i32, to: i32| {
            world(revision(json!(mode), ports), json!([open(from, to, "0.0.0.0/0")]))
        };
        let on = |port: i32| json!([{"containerPort": port}]);
        let picked = || json!([{"containerPort": 80}]);
        rows(&[
            ("host", mapped("host", on(8080), 8000, 9000), Failed(HERE)),
            ("host, elsewhere", mapped("host", on(8080), 8081, 9000), Passed),
            ("host, a web server", mapped("host", on(443), 0, 65535), Passed),
            ("a port that ECS picks", mapped("bridge", picked(), 49153, 65535), Failed(HERE)),
            ("below what ECS picks", mapped("bridge", picked(), 1024, 32767), Passed),
            (
                "one of two",
                mapped("host", json!([{"containerPort": 1}, {"containerPort": 2}]), 2, 2),
                Failed(HERE),
            ),
            ("awsvpc", mapped("awsvpc", on(8080), 0, 65535), NotApplicable),
            ("none", mapped("none", on(8080), 0, 65535), NotApplicable),
            ("no port", mapped("host", json!([]), 0, 65535), NotApplicable),
            ("hidden ports", mapped("host", json!(HIDDEN), 0, 65535), Unknown),
            ("from somewhere", world(on_8080(), json!([open(8080, 8080, "198.51.100.0/24")])), Passed),
            ("from who knows where", world(on_8080(), json!([open(8080, 8080, HIDDEN)])), Unknown),
            ("hidden permissions", world(on_8080(), json!(HIDDEN)), Unknown),
            (
                "no containers shown",
                world(
                    json!({"taskDefinition": {"taskDefinitionArn": service()["taskDefinition"],
                "networkMode": "host"}}),
                    json!([]),
                ),
                Unknown,
            ),
        ]);
    }

    #[test]
    fn every_host_that_may_take_its_tasks_counts() {
        let open_group = || group("sg-open", json!([open(8080, 8080, "0.0.0.0/0")]));
        let two = |second: Value, groups: &[&str]| {
            let mut known = world(on_8080(), json!([]));
            known[1] = hosts(&[instance("i-1", json!({})), second]);
            known.extend([machine("i-2", groups), open_group()]);
            known
        };
        let mut unlisted = world(on_8080(), json!([]));
        unlisted.remove(1);
        let mut undescribed = world(on_8080(), json!([]));
        undescribed.remove(2);
        let mut ungrouped = world(on_8080(), json!([]));
        ungrouped.remove(3);
        let mut outside = world(on_8080(), json!([]));
        outside[1] = hosts(&[instance("mi-1", json!({}))]);
        let mut gone = world(on_8080(), json!([]));
        gone[1] = hosts(&[instance("i-1", json!({"status": "INACTIVE"}))]);
        let mut elsewhere = world(on_8080(), json!([]));
        elsewhere[1] = hosts(&[json!({"ec2InstanceId": "i-1", "containerInstanceArn":
            "arn:aws:ecs:eu-west-1:111122223333:container-instance/other/i-1"})]);
        rows(&[
            ("the second is open", two(instance("i-2", json!({})), &["sg-open"]), Failed(HERE)),
            (
                "a draining one still runs",
                two(instance("i-2", json!({"status": "DRAINING"})), &["sg-open"]),
                Failed(HERE),
            ),
            ("one is gone", two(instance("i-2", json!({"status": "INACTIVE"})), &["sg-open"]), Passed),
            ("one is not described", two(instance("i-3", json!({})), &[]), Unknown),
            ("one shows no group", two(instance("i-2", json!({})), &[]), Unknown),
            ("one shows no id", two(instance("i-2", json!({"ec2InstanceId": HIDDEN})), &["sg-1"]), Unknown),
            ("nobody listed the hosts", unlisted, Unknown),
            ("the host is not described", undescribed, Unknown),
            ("the group is not described", ungrouped, Unknown),
            ("all are outside of EC2", outside, NotApplicable),
            ("none is left", gone, Unknown),
            ("another cluster's", elsewhere, Unknown),
        ]);
    }

    #[test]
    fn services_that_are_not_concerned_or_not_shown() {
        let known = facts(&world(on_8080(), json!([open(8080, 8080, "0.0.0.0/0")])));
        let awsvpc = json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}});
        let strategy = |name: Value| json!({"launchType": null, "capacityProviderStrategy": [{"capacityProvider": name}]});
        check_knowing(
            &CONTROL,
            &Parameters::default(),
            &known,
            &[
                ("open", service(), Failed(HERE)),
                ("by no launch type", service_with(json!({"launchType": null})), Failed(HERE)),
                ("draining", service_with(json!({"status": "DRAINING"})), NotApplicable),
                ("Fargate", service_with(json!({"launchType": "FARGATE"})), NotApplicable),
                ("Fargate Spot", service_with(strategy(json!("FARGATE_SPOT"))), NotApplicable),
                ("outside of EC2", service_with(json!({"launchType": "EXTERNAL"})), NotApplicable),
                ("awsvpc", service_with(awsvpc), NotApplicable),
                ("task sets", service_with(json!({"taskDefinition": null})), NotApplicable),
                ("a hidden revision", service_with(json!({"taskDefinition": HIDDEN})), Unknown),
                (
                    "a revision that nobody described",
                    service_with(json!({"taskDefinition":
                    "arn:aws:ecs:eu-west-1:111122223333:task-definition/checkout:8"})),
                    Unknown,
                ),
                ("other hosts than those of its provider", service_with(strategy(json!("gpu"))), Unknown),
                ("a hidden provider", service_with(strategy(json!(HIDDEN))), Unknown),
                ("hidden providers", service_with(json!({"capacityProviderStrategy": HIDDEN})), Unknown),
            ],
        );
        let mut known = world(on_8080(), json!([]));
        known[1] = hosts(&[
            instance("i-1", json!({"capacityProviderName": "inside"})),
            instance("i-2", json!({"capacityProviderName": "edge"})),
        ]);
        known.extend([machine("i-2", &["sg-2"]), group("sg-2", json!([open(8080, 8080, "0.0.0.0/0")]))]);
        check_knowing(
            &CONTROL,
            &Parameters::default(),
            &facts(&known),
            &[
                ("the provider's hosts are shut", service_with(strategy(json!("inside"))), Passed),
                ("the provider's hosts are open", service_with(strategy(json!("edge"))), Failed(HERE)),
                ("any host", service(), Failed(HERE)),
            ],
        );
    }

    #[test]
    fn the_policy_says_which_ports_may_be_open() {
        let known = facts(&world(on_8080(), json!([open(0, 65535, "0.0.0.0/0")])));
        let allowing = |ports: &[&str]| {
            Parameters::new([("allowed_ports".to_owned(), toml::Value::from(ports.to_vec()))])
        };
        check_knowing(&CONTROL, &allowing(&["8080"]), &known, &[("allowed", service(), Passed)]);
        check_knowing(&CONTROL, &allowing(&["http"]), &known, &[("no port", service(), Failed(HERE))]);
        let web = facts(&world(
            revision(json!("host"), json!([{"containerPort": 80}])),
            json!([open(0, 65535, "0.0.0.0/0")]),
        ));
        check_knowing(&CONTROL, &Parameters::default(), &web, &[("80", service(), Passed)]);
        check_knowing(&CONTROL, &allowing(&[]), &web, &[("not even 80", service(), Failed(HERE))]);
        // Around an allowed port the next one counts.
        let picked = revision(json!("bridge"), json!([{"containerPort": 80}]));
        let narrow = |to: i32| facts(&world(picked.clone(), json!([open(40000, to, "0.0.0.0/0")])));
        check_knowing(&CONTROL, &allowing(&["40000"]), &narrow(40000), &[("that one", service(), Passed)]);
        check_knowing(
            &CONTROL,
            &allowing(&["40000"]),
            &narrow(40001),
            &[("the next", service(), Failed(HERE))],
        );
    }

    #[test]
    fn what_is_found_and_what_is_missing_is_said() {
        let answer = |known: &[Value], service: &Value| {
            let resource = resource(ResourceType::Service, service);
            judge_with(&CONTROL, &resource, Parameters::default(), &facts(known)).compliance
        };
        let picked = revision(json!("bridge"), json!([{"containerPort": 80}]));
        let mut known = world(picked, json!([open(0, 65535, "0.0.0.0/1")]));
        known[2] = machine("i-1", &["sg-1", "sg-2"]);
        known.push(group("sg-2", json!([open(0, 65535, "128.0.0.0/1")])));
        let constrained = service_with(json!({"placementConstraints": [{"type": "distinctInstance"}]}));
        let Compliance::Failed(violations) = answer(&known, &constrained) else { panic!("passes") };
        let said = "sg-1 and sg-2: the world reaches tcp 32768, one of 32768-65535 that container `web` may get; \
                    placement constraints, which are not read, may keep it off such hosts";
        assert_eq!(violations[0].actual, json!(said));
        let calls = |known: &[Value]| match answer(known, &service()) {
            Compliance::Unknown(needs) => needs.iter().map(Need::call).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let list = "aws ecs describe-container-instances --cluster shop --container-instances $(aws ecs \
                    list-container-instances --cluster shop --query 'containerInstanceArns[]' --output text)";
        let describe = "aws ecs describe-task-definition --task-definition checkout:7 --include TAGS";
        assert_eq!(calls(&[]), [describe, list]);
        let listed =
            world(on_8080(), json!([{"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-1"}]}]));
        assert_eq!(calls(&listed[..1]), [list]);
        assert_eq!(calls(&listed[..2]), ["aws ec2 describe-instances --instance-ids i-1"]);
        assert_eq!(calls(&listed[..3]), ["aws ec2 describe-security-groups --group-ids sg-1"]);
        let resolve = "aws ec2 get-managed-prefix-list-entries --prefix-list-id pl-1 --query \
                       '{PrefixListId:`\"pl-1\"`,Entries:Entries}'";
        assert_eq!(calls(&listed), [resolve]);
    }
}
