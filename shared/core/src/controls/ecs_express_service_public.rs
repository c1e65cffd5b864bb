//! Express services have no public way in.
//!
//! Express Mode makes the load balancer, which faces the internet by default, and prints for every configuration of
//! the service whether its endpoint is `PUBLIC` or `PRIVATE`. No request sets that by name: it is expected to follow from
//! the subnets, and only what is printed is judged. Every configuration counts, also the one that an update has yet to
//! reach. One without ways in, such as before its load balancer is made, is unknown. Says nothing of the addresses of
//! tasks, which `ecs-service-no-public-ip` judges in the service that Express Mode manages.
//!
//! Opt-in: publishing a web application is what Express Mode is for, and what it does unless told otherwise. Where an
//! account is to publish nothing, it is a violation and a grave one.

use crate::control::{
    Compliance, Context, Control, Functions, Place, Practice, Ratchet, Rule, Severity, Violation, every,
    no_fix,
};
use crate::document::Field;
use crate::preflight;
use crate::remediation::Safety;
use crate::resource::ExpressGatewayService;
use crate::resource::express::Configuration;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-express-service-public",
    title: "Express services are reached privately",
    severity: Severity::High,
    standards: &[],
    practice: Some(Practice::NetworkSecurity),
    rationale: "Express Mode puts a load balancer in front of the service without being asked, and it faces the \
                internet by default.",
    template: "private subnets in NetworkConfiguration.Subnets of AWS::ECS::ExpressGatewayService; Terraform: subnets \
               in network_configuration of aws_ecs_express_gateway_service",
    prevention: "deny ecs:CreateExpressGatewayService in an SCP, where nothing is to be published",
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-work.html",
    safety: Safety::Manual,
    call: None,
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: true,
    parameters: &[],
    rule: Rule::ExpressGatewayService(Functions { check, fix: no_fix, preflight: preflight::nothing }),
};

fn check(express: &ExpressGatewayService, _: &Context<'_>) -> Compliance {
    let status = express.status.known().and_then(|status| status.status_code.text());
    if status.is_some_and(|status| status != "ACTIVE") {
        return Compliance::NotApplicable("the service is not active");
    }
    let active = express.active_configurations.items().iter().enumerate();
    let mut places: Vec<Place> = active
        .flat_map(|(index, one)| ways_in(one, &format!("/activeConfigurations/{index}/ingressPaths")))
        .collect();
    match &express.target_configuration {
        Field::Known(target) => places.extend(ways_in(target, "/targetConfiguration/ingressPaths")),
        Field::Hidden => places.push(Place::Hidden("/targetConfiguration".to_owned())),
        Field::Absent => {}
    }
    if places.is_empty() || express.active_configurations.is_hidden() {
        places.push(Place::Hidden("/activeConfigurations".to_owned()));
    }
    every(places)
}

fn ways_in(configuration: &Configuration, at: &str) -> Vec<Place> {
    let Some(paths) = configuration.ingress_paths.known().filter(|paths| !paths.is_empty()) else {
        return vec![Place::Hidden(at.to_owned())];
    };
    let judge = |(index, path): (usize, &Field<String>)| {
        let at = format!("{at}/{index}/accessType");
        match path.text() {
            Some("PRIVATE") => Place::Fine,
            Some("PUBLIC") => Place::Violates(Violation::new(at, "PUBLIC", "PRIVATE")),
            // A value that came after this was built may mean anything.
            _ => Place::Hidden(at),
        }
    };
    paths.iter().map(|path| &path.access_type).enumerate().map(judge).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::{check, judge, resource};
    use crate::facts::Need;
    use crate::resource::ResourceType;
    use crate::selection::Parameters;

    #[test]
    fn table() {
        let paths = |kinds: &[&str]| -> Value {
            kinds
                .iter()
                .map(|kind| json!({"accessType": kind, "endpoint": "x.ecs.eu-west-1.on.aws"}))
                .collect()
        };
        let with = |kinds: &[&str]| json!({"status": {"statusCode": "ACTIVE"}, "activeConfigurations": [{"ingressPaths": paths(kinds)}]});
        let mut draining = with(&["PUBLIC"]);
        draining["status"]["statusCode"] = json!("DRAINING");
        let mut second = with(&["PRIVATE"]);
        second["activeConfigurations"]
            .as_array_mut()
            .unwrap()
            .push(json!({"ingressPaths": paths(&["PUBLIC"])}));
        let mut unmade = with(&["PRIVATE"]);
        unmade["activeConfigurations"].as_array_mut().unwrap().push(json!({}));
        let mut emptied = with(&["PRIVATE"]);
        emptied["activeConfigurations"].as_array_mut().unwrap().push(json!({"ingressPaths": []}));
        let mut target = with(&["PRIVATE"]);
        target["targetConfiguration"] = json!({"ingressPaths": paths(&["PUBLIC"])});
        let update = |kinds: &[&str]| json!({"status": {"statusCode": "ACTIVE"}, "targetConfiguration": {"ingressPaths": paths(kinds)}});
        check(
            &CONTROL,
            &[
                ("public", with(&["PUBLIC"]), Failed(&["/activeConfigurations/0/ingressPaths/0/accessType"])),
                ("private", with(&["PRIVATE"]), Passed),
                (
                    "both",
                    with(&["PRIVATE", "PUBLIC"]),
                    Failed(&["/activeConfigurations/0/ingressPaths/1/accessType"]),
                ),
                ("not the first", second, Failed(&["/activeConfigurations/1/ingressPaths/0/accessType"])),
                (
                    "the answer to an update",
                    update(&["PUBLIC"]),
                    Failed(&["/targetConfiguration/ingressPaths/0/accessType"]),
                ),
                ("an update to private", update(&["PRIVATE"]), Passed),
                ("still private", target, Failed(&["/targetConfiguration/ingressPaths/0/accessType"])),
                ("a kind of the future", with(&["DUAL"]), Unknown),
                ("no way in yet", with(&[]), Unknown),
                ("one has none yet", unmade, Unknown),
                ("one has an empty list", emptied, Unknown),
                ("no configuration", json!({"status": {"statusCode": "ACTIVE"}}), Unknown),
                ("configurations are hidden", json!({"activeConfigurations": {"omitted": "true"}}), Unknown),
                (
                    "the target is hidden",
                    json!({"activeConfigurations": [{"ingressPaths": paths(&["PRIVATE"])}],
                    "targetConfiguration": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
                    Unknown,
                ),
                ("draining", draining, NotApplicable),
            ],
        );
    }

    #[test]
    fn what_is_missing_is_described_by_the_express_api() {
        let resource = resource(ResourceType::ExpressGatewayService, &json!({}));
        let Compliance::Unknown(needs) = judge(&CONTROL, &resource, Parameters::default()).compliance else {
            panic!("judged")
        };
        let calls: Vec<String> = needs.iter().map(|need: &Need| need.of(&resource.id).call()).collect();
        let arn = &resource.id.arn;
        assert_eq!(
            calls,
            [format!("aws ecs describe-express-gateway-service --service-arn {arn} --include TAGS")]
        );
    }
}
