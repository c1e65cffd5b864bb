//! EC2's answers in the XML of its API reference, of networks as small as a test needs them.

use shipshape_test_server::{Answer, Request};

/// A list of items.
pub(crate) fn items(list: &[String]) -> String {
    list.iter().map(|one| format!("<item>{one}</item>")).collect()
}

/// The answer of an action; the last element of a page that is not the last is its token.
pub(crate) fn answer(action: &str, body: &str, next: Option<&str>) -> Answer {
    let next = next.map(|token| format!("<nextToken>{token}</nextToken>")).unwrap_or_default();
    let start = format!(r#"<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">"#);
    let id = "<requestId>8f7724cf-496f-496e-8fe3-000000000000</requestId>";
    let xml = format!(r#"<?xml version="1.0" encoding="UTF-8"?>{start}{id}{body}{next}</{action}Response>"#);
    Answer::Told(200, xml)
}

/// A refusal.
pub(crate) fn error(status: u16, code: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>words of {code}</Message></Error>");
    let id = "<RequestID>8f7724cf-496f-496e-8fe3-000000000000</RequestID>";
    Answer::Told(status, format!("<Response><Errors>{error}</Errors>{id}</Response>"))
}

/// A parameter of a request. No test uses a character that a form escapes.
pub(crate) fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut pairs = request.body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(parameter, value)| (parameter == name).then_some(value))
}

/// The values of a request's filter.
pub(crate) fn values(request: &Request) -> Vec<String> {
    let value = |n: usize| parameter(request, &format!("Filter.1.Value.{n}")).map(str::to_owned);
    (1..).map_while(value).collect()
}

/// A subnet of a VPC, numbered by the end of its id.
pub(crate) fn subnet(id: &str, vpc: &str) -> String {
    let number = id.rsplit_once('-').map_or("0", |(_, number)| number);
    format!(
        "<subnetId>{id}</subnetId><state>available</state><vpcId>{vpc}</vpcId><cidrBlock>10.0.{number}.0/24</cidrBlock>\
         <availableIpAddressCount>251</availableIpAddressCount><mapPublicIpOnLaunch>false</mapPublicIpOnLaunch>"
    )
}

/// The main route table of a VPC, whose default route leads there.
pub(crate) fn main_table(id: &str, vpc: &str, target: &str) -> String {
    format!(
        "<routeTableId>{id}</routeTableId><vpcId>{vpc}</vpcId><routeSet>\
         <item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId>\
         <state>active</state><origin>CreateRouteTable</origin></item>\
         <item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>{target}\
         <state>active</state><origin>CreateRoute</origin></item></routeSet><associationSet>\
         <item><routeTableAssociationId>rtbassoc-1</routeTableAssociationId><routeTableId>{id}</routeTableId>\
         <main>true</main><associationState><state>associated</state></associationState></item></associationSet>"
    )
}

/// A NAT gateway.
pub(crate) fn nat_gateway(id: &str, state: &str) -> String {
    format!(
        "<natGatewayId>{id}</natGatewayId><state>{state}</state><connectivityType>public</connectivityType>"
    )
}

/// An interface endpoint with a network interface in `subnet-2`.
pub(crate) fn interface(service: &str, vpc: &str) -> String {
    format!(
        "<vpcEndpointId>vpce-{service}</vpcEndpointId><vpcEndpointType>Interface</vpcEndpointType><vpcId>{vpc}</vpcId>\
         <serviceName>com.amazonaws.eu-west-1.{service}</serviceName><state>available</state><routeTableIdSet/>\
         <subnetIdSet><item>subnet-2</item></subnetIdSet>\
         <groupSet><item><groupId>sg-door</groupId><groupName>door</groupName></item></groupSet>\
         <privateDnsEnabled>true</privateDnsEnabled>"
    )
}

/// The gateway endpoint of S3, with AWS's default policy.
pub(crate) fn gateway(vpc: &str, table: &str) -> String {
    format!(
        "<vpcEndpointId>vpce-s3</vpcEndpointId><vpcEndpointType>Gateway</vpcEndpointType><vpcId>{vpc}</vpcId>\
         <serviceName>com.amazonaws.eu-west-1.s3</serviceName><state>available</state>\
         <policyDocument>{{\"Version\":\"2008-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":\"*\",\
         \"Action\":\"*\",\"Resource\":\"*\"}}]}}</policyDocument>\
         <routeTableIdSet><item>{table}</item></routeTableIdSet><subnetIdSet/><groupSet/>\
         <privateDnsEnabled>false</privateDnsEnabled>"
    )
}

/// A security group that lets these permissions in, and HTTPS out to everywhere.
pub(crate) fn group(id: &str, ingress: &[String]) -> String {
    let out = items(&[permission("<ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>")]);
    format!(
        "<ownerId>111122223333</ownerId><groupId>{id}</groupId><groupName>{id}</groupName><vpcId>vpc-1</vpcId>\
         <ipPermissions>{}</ipPermissions><ipPermissionsEgress>{out}</ipPermissionsEgress>",
        items(ingress)
    )
}

/// A permission for HTTPS.
pub(crate) fn permission(sources: &str) -> String {
    format!("<ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>{sources}")
}

/// An instance.
pub(crate) fn reservation(id: &str, group: &str) -> String {
    format!(
        "<reservationId>r-1</reservationId><ownerId>111122223333</ownerId><groupSet/><instancesSet><item>\
         <instanceId>{id}</instanceId><groupSet><item><groupId>{group}</groupId><groupName>{group}</groupName></item>\
         </groupSet></item></instancesSet>"
    )
}
