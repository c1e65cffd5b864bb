//! Would tasks still start without a public address? For each subnet: a NAT route that works, or else a private
//! endpoint for everything that Fargate itself fetches. What the program inside calls can't be proved.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html>
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html>

mod required;

use required::{Required, requirements};

use super::{Doubts, content};
use crate::document::Field;
use crate::facts::network::{Endpoint, Permission, RouteTable, Subnet};
use crate::facts::{Facts, Need};
use crate::resource::service::AwsvpcConfiguration;
use crate::resource::{Resource, Service, TaskDefinition};
use crate::text::shown;

/// Demands that tasks of a service start without a public address in all of its subnets, and that nobody reaches
/// them by it.
pub fn without_public_address(resource: &Resource, service: &Service, facts: &Facts, doubts: &mut Doubts) {
    let Some(place) = network(resource, service, doubts) else { return };
    callers(service, &place.groups, facts, doubts);
    let Some(task) = content(service, facts, doubts) else { return };
    let required = requirements(resource, service, task, facts, doubts);
    everywhere(&place, &required, false, facts, doubts);
}

/// Demands that tasks of a service still start once Fargate fetches through the task's own network interface what it
/// fetched through one of its own before version 1.4.0 of its platform.
pub fn through_the_task(resource: &Resource, service: &Service, facts: &Facts, doubts: &mut Doubts) {
    let Some(place) = network(resource, service, doubts) else { return };
    let Some(task) = content(service, facts, doubts) else { return };
    let required = requirements(resource, service, task, facts, doubts).moved();
    let public = place.block.assign_public_ip.text() == Some("ENABLED");
    everywhere(&place, &required, public, facts, doubts);
}

/// Demands that tasks of a service reach what a mended revision needs and theirs does not: where it logs. On hosts the log
/// takes the host's way, which ECS itself depends on.
pub fn of_the_mended(
    resource: &Resource,
    service: &Service,
    [old, mended]: [&TaskDefinition; 2],
    facts: &Facts,
    doubts: &mut Doubts,
) {
    let logs = |task: &TaskDefinition| {
        let mut drivers = task.container_definitions.items().iter().map(|one| &one.log_configuration);
        drivers.any(|log| log.known().is_some_and(|log| log.log_driver.text() == Some("awslogs")))
    };
    if service.awsvpc().is_absent() || logs(old) || !logs(mended) {
        return;
    }
    let Some(place) = network(resource, service, doubts) else { return };
    let required = requirements(resource, service, mended, facts, doubts).only("logs");
    let public = place.block.assign_public_ip.text() == Some("ENABLED");
    everywhere(&place, &required, public, facts, doubts);
}

/// Where the tasks of a service are.
struct Network<'a> {
    block: &'a AwsvpcConfiguration,
    subnets: &'a [String],
    groups: Vec<&'a str>,
}

/// The service's network, or that it is not known. Without groups in the block the service would use the VPC's default
/// group, whose id is not here.
fn network<'a>(resource: &Resource, service: &'a Service, doubts: &mut Doubts) -> Option<Network<'a>> {
    if let Field::Known(block) = service.awsvpc()
        && let Some(groups) = block.security_groups.known().filter(|groups| !groups.is_empty())
        && let Some(subnets) = block.subnets.known().filter(|subnets| !subnets.is_empty())
    {
        return Some(Network { block, subnets, groups: groups.iter().map(String::as_str).collect() });
    }
    doubts.need(Need::Resource(resource.id.clone()));
    None
}

fn everywhere(place: &Network<'_>, required: &Required, public: bool, facts: &Facts, doubts: &mut Doubts) {
    for subnet in place.subnets {
        reach(subnet, &place.groups, required, public, facts, doubts);
    }
}

/// A service without load balancer whose groups let outsiders in may be reached by its public address.
fn callers(service: &Service, groups: &[&str], facts: &Facts, doubts: &mut Doubts) {
    if !service.load_balancers.items().is_empty() {
        return;
    }
    for group in groups {
        match facts.network.group(group) {
            None => doubts.need(Need::SecurityGroup((*group).to_owned())),
            Some(known) if known.ip_permissions.known().is_none() => {
                doubts.need(Need::SecurityGroup((*group).to_owned()));
            }
            Some(known) => {
                if let Some(range) = known.ip_permissions.items().iter().find_map(Permission::public_source) {
                    doubts.refuse(
                        "may be reached by its public address",
                        format!("the service has no load balancer and {group} lets {} in: somebody may be calling the public address; put a load balancer in front, or close the group", shown(range)),
                    );
                }
            }
        }
    }
}

/// Whether a task in this subnet, with a public address or without, gets everything.
fn reach(id: &str, groups: &[&str], required: &Required, public: bool, facts: &Facts, doubts: &mut Doubts) {
    let Some(subnet) = facts.network.subnet(id) else { return doubts.need(Need::Subnet(id.to_owned())) };
    let Some(vpc) = subnet.vpc_id.text() else { return doubts.need(Need::Subnet(id.to_owned())) };
    let Some(table) = facts.network.route_table(vpc, id) else {
        if !facts.network.lists_all_tables(vpc) {
            return doubts.need(Need::RouteTables(vpc.to_owned()));
        }
        return doubts.refuse(
            "no route table",
            format!("VPC {vpc} shows no route table that serves subnet {id}: its owner has to say where the subnet's traffic goes"),
        );
    };
    let place = Place { subnet_id: id, subnet, vpc, table, groups };
    let way = default_route(table, public, facts, doubts);
    match way {
        Way::NotKnown => return,
        Way::Internet => return through_the_internet(&place, required, facts, doubts),
        Way::None(_) => {}
    }
    for user in required.internet.iter().chain(&required.abroad) {
        doubts.refuse(
            "no way to the internet",
            format!("subnet {id} has {}, and {user} needs one: give the subnet a NAT route, or use ECR and awslogs", way.sentence()),
        );
    }
    let Some(endpoints) = facts.network.endpoints(vpc) else {
        return doubts.need(Need::Endpoints(vpc.to_owned()));
    };
    for (service, user) in &required.endpoints {
        let own: Vec<&Endpoint> =
            endpoints.iter().filter(|one| one.serves(service, &required.region)).collect();
        match usable(&own, service, &place, facts, doubts) {
            Answer::Yes | Answer::NotKnown => {}
            Answer::No(why) => doubts.refuse(
                format!("no route to {service}"),
                format!("subnet {id} has {}, and {why}; {user} needs it: give the subnet a NAT route, or VPC {vpc} that endpoint", way.sentence()),
            ),
        }
    }
}

/// What goes to the internet today goes on doing so; what is new to the service's groups has to be let out by them, and
/// an endpoint that has taken the service's name in the VPC has to let it in.
fn through_the_internet(place: &Place<'_>, required: &Required, facts: &Facts, doubts: &mut Doubts) {
    if !required.new || (required.endpoints.is_empty() && required.abroad.is_empty()) {
        return;
    }
    if let Answer::No(why) = lets_out(place, facts, doubts, |egress| egress.spans("0.0.0.0/0")) {
        doubts.refuse(
            "no way out of the service's groups",
            format!("{why}, the internet: the registry's login and secrets go through the task's own interface from platform version 1.4.0 on; let port 443 out"),
        );
    }
    let Some(endpoints) = facts.network.endpoints(place.vpc) else {
        return doubts.need(Need::Endpoints(place.vpc.to_owned()));
    };
    for (service, user) in &required.endpoints {
        let own = endpoints.iter().filter(|one| one.serves(service, &required.region));
        let named: Vec<&Endpoint> =
            own.filter(|one| one.private_dns_enabled.known() != Some(&false)).collect();
        if named.is_empty() {
            continue;
        }
        if let Answer::No(why) = usable(&named, service, place, facts, doubts) {
            doubts.refuse(
                format!("no route to {service}"),
                format!("an endpoint has the name of {service} in VPC {}, and {why}; {user} needs it: let the service's groups and the endpoint's meet", place.vpc),
            );
        }
    }
}

pub(super) enum Way {
    /// A NAT gateway that works, or an internet gateway for a public address.
    Internet,
    /// A fact is missing.
    NotKnown,
    /// No default route, or none that serves without a public address.
    None(String),
}

impl Way {
    fn sentence(&self) -> &str {
        match self {
            Self::None(sentence) => sentence,
            Self::Internet | Self::NotKnown => "no NAT route",
        }
    }
}

/// An internet gateway serves public addresses only, and does not count without one.
pub(super) fn default_route(table: &RouteTable, public: bool, facts: &Facts, doubts: &mut Doubts) -> Way {
    let routes = table.routes.items();
    let Some(route) = routes.iter().find(|route| route.destination_cidr_block.text() == Some("0.0.0.0/0"))
    else {
        return Way::None("no default route".to_owned());
    };
    let target = route.target();
    if let Some(other) = routes.iter().find(|other| other.overrides(target)) {
        let range = other.destination_cidr_block.text().unwrap_or("a prefix list");
        return Way::None(format!(
            "a route for {} to {} beside its default route",
            shown(range),
            other.target()
        ));
    }
    match route.state.text() {
        Some("active") => {}
        Some("blackhole") => return Way::None(format!("a default route to {target} that is a blackhole")),
        _ => return Way::None(format!("a default route to {target} in no known state")),
    }
    if let Some(id) = route.nat_gateway_id.text() {
        let Some(gateway) = facts.network.nat_gateway(id) else {
            doubts.need(Need::NatGateway(id.to_owned()));
            return Way::NotKnown;
        };
        return match (gateway.state.text(), gateway.connectivity_type.text()) {
            (Some("available"), None | Some("public")) => Way::Internet,
            (Some("available"), Some(_)) => {
                Way::None(format!("a default route to {id}, a private NAT gateway"))
            }
            (state, _) => Way::None(format!(
                "a default route to {id}, which is {}",
                state.unwrap_or("in no known state")
            )),
        };
    }
    if target.starts_with("igw-") && public {
        return Way::Internet;
    }
    if target.starts_with("igw-") {
        return Way::None(format!("only {target}, an internet gateway, which serves public addresses alone"));
    }
    Way::None(format!("a default route to {target}, and nothing shows what lies behind it"))
}

struct Place<'a> {
    subnet_id: &'a str,
    subnet: &'a Subnet,
    vpc: &'a str,
    table: &'a RouteTable,
    groups: &'a [&'a str],
}

enum Answer {
    Yes,
    No(String),
    NotKnown,
}

fn usable(own: &[&Endpoint], service: &str, place: &Place<'_>, facts: &Facts, doubts: &mut Doubts) -> Answer {
    // Image layers come from S3 by its gateway endpoint; an interface endpoint to S3 does not serve ECR.
    let wanted = if service == "s3" { "Gateway" } else { "Interface" };
    let fitting = own.iter().filter(|endpoint| endpoint.vpc_endpoint_type.text() == Some(wanted));
    let mut last =
        Answer::No(format!("VPC {} has no {} endpoint for {service}", place.vpc, wanted.to_lowercase()));
    for endpoint in fitting {
        let id = endpoint.vpc_endpoint_id.text().unwrap_or("the endpoint");
        let available = endpoint.state.text().is_some_and(|state| state.eq_ignore_ascii_case("available"));
        last = if !available {
            Answer::No(format!("{id} for {service} is not available"))
        } else if !endpoint.is_open() {
            Answer::No(format!("{id} for {service} has a policy of its own, which has to be read"))
        } else if wanted == "Gateway" {
            gateway(endpoint, id, place, facts, doubts)
        } else {
            interface(endpoint, id, service, place, facts, doubts)
        };
        if !matches!(last, Answer::No(_)) {
            break;
        }
    }
    last
}

fn gateway(endpoint: &Endpoint, id: &str, place: &Place<'_>, facts: &Facts, doubts: &mut Doubts) -> Answer {
    let table = place.table.route_table_id.text().unwrap_or_default();
    if !endpoint.route_table_ids.items().iter().any(|one| one == table) {
        return Answer::No(format!("{id} for s3 is not in route table {table}"));
    }
    lets_out(place, facts, doubts, |egress| egress.spans("0.0.0.0/0"))
}

fn interface(
    endpoint: &Endpoint,
    id: &str,
    service: &str,
    place: &Place<'_>,
    facts: &Facts,
    doubts: &mut Doubts,
) -> Answer {
    if endpoint.private_dns_enabled.known() != Some(&true) {
        return Answer::No(format!("{id} for {service} has private DNS off"));
    }
    let dns = facts.network.dns(place.vpc);
    match (dns.support, dns.hostnames) {
        (Some(true), Some(true)) => {}
        (Some(false), _) | (_, Some(false)) => {
            return Answer::No(format!(
                "VPC {} has DNS support or DNS hostnames off, so that {id} has no name",
                place.vpc
            ));
        }
        _ => {
            doubts.need(Need::VpcDns(place.vpc.to_owned()));
            return Answer::NotKnown;
        }
    }
    let doors: Vec<&str> = endpoint.groups.items().iter().filter_map(|group| group.group_id.text()).collect();
    let cidr = place.subnet.cidr_block.text().unwrap_or_default();
    let mut open = false;
    for door in &doors {
        let Some(group) = facts.network.group(door) else {
            doubts.need(Need::SecurityGroup((*door).to_owned()));
            return Answer::NotKnown;
        };
        open |= group.ip_permissions.items().iter().any(|ingress| {
            ingress.covers_https()
                && (ingress.spans(cidr) || place.groups.iter().any(|own| ingress.names(own)))
        });
    }
    if !open {
        return Answer::No(format!(
            "the groups of {id} for {service} do not let subnet {} in on port 443",
            place.subnet_id
        ));
    }
    let mut targets = Vec::new();
    for subnet in endpoint.subnet_ids.items() {
        match facts.network.subnet(subnet) {
            Some(known) => targets.extend(known.cidr_block.text()),
            None => {
                doubts.need(Need::Subnet(subnet.clone()));
                return Answer::NotKnown;
            }
        }
    }
    lets_out(place, facts, doubts, |egress| {
        doors.iter().any(|door| egress.names(door))
            || (!targets.is_empty() && targets.iter().all(|target| egress.spans(target)))
    })
}

/// Whether one of the service's groups lets HTTPS out to where it has to go.
fn lets_out(
    place: &Place<'_>,
    facts: &Facts,
    doubts: &mut Doubts,
    reaches: impl Fn(&Permission) -> bool,
) -> Answer {
    for id in place.groups {
        let Some(group) = facts.network.group(id) else {
            doubts.need(Need::SecurityGroup((*id).to_owned()));
            return Answer::NotKnown;
        };
        if group.ip_permissions_egress.items().iter().any(|egress| egress.covers_https() && reaches(egress)) {
            return Answer::Yes;
        }
    }
    Answer::No(format!("no group of the service ({}) lets port 443 out to it", place.groups.join(", ")))
}
