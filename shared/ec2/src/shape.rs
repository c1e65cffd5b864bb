//! What core reads of EC2's answers, under the names that `aws ec2 describe-*` prints. EC2 answers in XML, so that there
//! is no JSON of its own to keep. A list is written though it is empty: that there is nothing was told as well. A value
//! of an enumeration that the SDK does not know is passed on as its text.

use aws_sdk_ec2::types::{
    Instance, IpPermission, NatGateway, NetworkInterface, PrefixListEntry, Reservation, Route, RouteTable,
    RouteTableAssociation, SecurityGroup, Subnet, VpcEndpoint,
};
use serde_json::Value;

pub(crate) fn subnet(subnet: &Subnet) -> Value {
    object([
        ("SubnetId", text(subnet.subnet_id())),
        ("VpcId", text(subnet.vpc_id())),
        ("CidrBlock", text(subnet.cidr_block())),
    ])
}

pub(crate) fn route_table(table: &RouteTable) -> Value {
    object([
        ("RouteTableId", text(table.route_table_id())),
        ("VpcId", text(table.vpc_id())),
        ("Associations", list(table.associations(), association)),
        ("Routes", list(table.routes(), route)),
    ])
}

fn association(association: &RouteTableAssociation) -> Value {
    object([("Main", flag(association.main())), ("SubnetId", text(association.subnet_id()))])
}

fn route(route: &Route) -> Value {
    object([
        ("DestinationCidrBlock", text(route.destination_cidr_block())),
        ("DestinationPrefixListId", text(route.destination_prefix_list_id())),
        ("GatewayId", text(route.gateway_id())),
        ("NatGatewayId", text(route.nat_gateway_id())),
        ("TransitGatewayId", text(route.transit_gateway_id())),
        ("NetworkInterfaceId", text(route.network_interface_id())),
        ("VpcPeeringConnectionId", text(route.vpc_peering_connection_id())),
        ("State", text(route.state().map(|state| state.as_str()))),
    ])
}

pub(crate) fn nat_gateway(gateway: &NatGateway) -> Value {
    object([
        ("NatGatewayId", text(gateway.nat_gateway_id())),
        ("State", text(gateway.state().map(|state| state.as_str()))),
        ("ConnectivityType", text(gateway.connectivity_type().map(|kind| kind.as_str()))),
    ])
}

pub(crate) fn endpoint(endpoint: &VpcEndpoint) -> Value {
    object([
        ("VpcEndpointId", text(endpoint.vpc_endpoint_id())),
        ("VpcEndpointType", text(endpoint.vpc_endpoint_type().map(|kind| kind.as_str()))),
        ("VpcId", text(endpoint.vpc_id())),
        ("ServiceName", text(endpoint.service_name())),
        ("State", text(endpoint.state().map(|state| state.as_str()))),
        ("RouteTableIds", list(endpoint.route_table_ids(), |id| Value::from(id.as_str()))),
        ("SubnetIds", list(endpoint.subnet_ids(), |id| Value::from(id.as_str()))),
        ("Groups", list(endpoint.groups(), |group| one("GroupId", group.group_id()))),
        ("PrivateDnsEnabled", flag(endpoint.private_dns_enabled())),
        ("PolicyDocument", text(endpoint.policy_document())),
    ])
}

pub(crate) fn security_group(group: &SecurityGroup) -> Value {
    object([
        ("GroupId", text(group.group_id())),
        ("IpPermissions", list(group.ip_permissions(), permission)),
        ("IpPermissionsEgress", list(group.ip_permissions_egress(), permission)),
    ])
}

fn permission(permission: &IpPermission) -> Value {
    object([
        ("IpProtocol", text(permission.ip_protocol())),
        ("FromPort", permission.from_port().map(Value::from)),
        ("ToPort", permission.to_port().map(Value::from)),
        ("IpRanges", list(permission.ip_ranges(), |range| one("CidrIp", range.cidr_ip()))),
        ("Ipv6Ranges", list(permission.ipv6_ranges(), |range| one("CidrIpv6", range.cidr_ipv6()))),
        ("UserIdGroupPairs", list(permission.user_id_group_pairs(), |pair| one("GroupId", pair.group_id()))),
        (
            "PrefixListIds",
            list(permission.prefix_list_ids(), |known| one("PrefixListId", known.prefix_list_id())),
        ),
    ])
}

pub(crate) fn prefix_list_entry(entry: &PrefixListEntry) -> Value {
    one("Cidr", entry.cidr())
}

pub(crate) fn reservation(reservation: &Reservation) -> Value {
    object([("Instances", list(reservation.instances(), instance))])
}

fn instance(instance: &Instance) -> Value {
    object([
        ("InstanceId", text(instance.instance_id())),
        ("SecurityGroups", list(instance.security_groups(), |group| one("GroupId", group.group_id()))),
    ])
}

/// Without a public address there is no `Association`.
pub(crate) fn network_interface(interface: &NetworkInterface) -> Value {
    let association = interface.association().map(|known| one("PublicIp", known.public_ip()));
    object([("NetworkInterfaceId", text(interface.network_interface_id())), ("Association", association)])
}

/// The members that are there.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// An object with one member.
fn one(name: &str, value: Option<&str>) -> Value {
    object([(name, text(value))])
}

fn text(value: Option<&str>) -> Option<Value> {
    value.map(Value::from)
}

fn flag(value: Option<bool>) -> Option<Value> {
    value.map(Value::from)
}

fn list<T>(items: &[T], shape: impl Fn(&T) -> Value) -> Option<Value> {
    Some(items.iter().map(shape).collect())
}
