//! What Fargate fetches for a task before its containers run, by the service that each comes from.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::Field;
use crate::facts::{Facts, Need};
use crate::ids::Arn;
use crate::image::ImageReference;
use crate::preflight::Doubts;
use crate::resource::task_definition::LogConfiguration;
use crate::resource::{Body, Resource, ResourceId, ResourceType, Service, TaskDefinition};
use crate::text::shown;

/// What has to be reachable, each with who needs it.
pub(super) struct Required {
    /// Endpoint services by their last part (`ecr.api`, `s3`, `logs`, …), and what needs each.
    pub(super) endpoints: BTreeMap<String, String>,
    /// Images and logs that only a way to the internet can serve.
    pub(super) internet: BTreeSet<String>,
    /// Secrets of other Regions, which no endpoint here serves.
    pub(super) abroad: BTreeSet<String>,
    /// The Region of the service.
    pub(super) region: String,
    /// Whether it meets the service's own groups and the VPC's names for the first time.
    pub(super) new: bool,
}

/// Everything that Fargate fetches for a task.
pub(super) fn requirements(
    resource: &Resource,
    service: &Service,
    task: &TaskDefinition,
    facts: &Facts,
    doubts: &mut Doubts,
) -> Required {
    let region = resource.id.arn.region().to_owned();
    let (endpoints, internet, abroad) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let mut required = Required { endpoints, internet, abroad, region, new: false };
    for (index, container) in task.container_definitions.items().iter().enumerate() {
        let name = shown(&container.label(index));
        match container.image.text().map(ImageReference::read) {
            Some(image) if image.ecr().is_some_and(|(_, region)| region == required.region) => {
                for service in ["ecr.api", "ecr.dkr", "s3"] {
                    required.by(service, &format!("the image of container `{name}`"));
                }
            }
            Some(image) => {
                required.internet.insert(format!("the image {image} of container `{name}`"));
            }
            None => doubts.need(Need::Member("/containerDefinitions".to_owned())),
        }
        let log = container.log_configuration.known();
        if container.secrets.is_hidden()
            || container.log_configuration.is_hidden()
            || log.is_some_and(|log| log.log_driver.is_hidden() || log.secret_options.is_hidden())
        {
            doubts.need(Need::Member("/containerDefinitions".to_owned()));
        }
        if let Field::Known(log) = &container.log_configuration {
            match log.log_driver.text() {
                Some("awslogs") => required.log(&name, log),
                Some(driver) => {
                    required.internet.insert(format!("the log of container `{name}` by {}", shown(driver)));
                }
                None => {}
            }
        }
        let secrets = container.secrets.items().iter();
        let options = container.log_configuration.known().map_or(&[][..], |log| log.secret_options.items());
        for secret in secrets.chain(options) {
            match secret.value_from.text() {
                Some(from) => required.secret(&name, from),
                None => doubts.need(Need::Member("/containerDefinitions".to_owned())),
            }
        }
        if !container.repository_credentials.is_absent() {
            required.by("secretsmanager", &format!("the registry password of container `{name}`"));
        }
        if !container.environment_files.is_absent() {
            required.by("s3", &format!("the environment files of container `{name}`"));
        }
    }
    if service.enable_execute_command.is_hidden() {
        doubts.need(Need::Resource(resource.id.clone()));
    }
    if service.enable_execute_command.known() == Some(&true) {
        required.by("ssmmessages", "ECS Exec");
        exec_key(resource, facts, &mut required, doubts);
    }
    required
}

/// ECS Exec with a key of the customer's asks KMS from inside the task.
fn exec_key(resource: &Resource, facts: &Facts, required: &mut Required, doubts: &mut Doubts) {
    let cluster = resource.id.cluster().and_then(|name| {
        let start = resource.id.arn.as_str().split(":service/").next()?;
        format!("{start}:cluster/{name}").parse().ok()
    });
    let Some(arn) = cluster else { return };
    let id = ResourceId { kind: ResourceType::Cluster, arn };
    let known = match facts.resource(&id.arn).map(|known| &known.body) {
        Some(Body::Cluster(cluster)) => cluster,
        _ => return doubts.need(Need::Resource(id)),
    };
    // Shown only when it is asked for, so that absent does not mean that there is no key.
    let Field::Known(configuration) = &known.configuration else { return doubts.need(Need::Resource(id)) };
    match &configuration.execute_command_configuration {
        Field::Absent => {}
        Field::Known(exec) if exec.kms_key_id.is_absent() => {}
        Field::Known(_) => required.by("kms", "the key of ECS Exec"),
        Field::Hidden => doubts.need(Need::Resource(id)),
    }
}

impl Required {
    /// What went through an interface of Fargate's own before version 1.4.0: the registry's login and the secrets. Image
    /// layers and logs went through the task's already, so that they show by themselves that they get through.
    pub(super) fn moved(mut self) -> Self {
        self.endpoints.retain(|service, _| !matches!(service.as_str(), "ecr.dkr" | "s3" | "logs"));
        self.internet.clear();
        self.new = true;
        self
    }

    /// What a new revision is the first to need of a service's network.
    pub(super) fn only(mut self, service: &str) -> Self {
        self.endpoints.retain(|one, _| one == service);
        self.internet.clear();
        self.abroad.clear();
        self.new = true;
        self
    }

    /// A log group of this Region, or of another, which no endpoint here reaches.
    fn log(&mut self, name: &str, log: &LogConfiguration) {
        let user = format!("the log of container `{name}`");
        let here = match &log.options {
            Field::Absent => true,
            Field::Hidden => false,
            Field::Known(options) => match &options.awslogs_region {
                Field::Absent => true,
                Field::Hidden => false,
                Field::Known(region) => *region == self.region,
            },
        };
        if here {
            self.by("logs", &user);
        } else {
            self.internet.insert(format!("{user} in another Region"));
        }
    }

    /// A secret by ARN, or a parameter by name, which is one of this Region.
    fn secret(&mut self, name: &str, from: &str) {
        let user = format!("the secrets of container `{name}`");
        let arn = from.parse::<Arn>().ok();
        if arn.as_ref().is_some_and(|arn| arn.region() != self.region) {
            self.abroad.insert(format!("{user} in another Region"));
        } else if arn.is_some_and(|arn| arn.service() == "secretsmanager") {
            self.by("secretsmanager", &user);
        } else {
            self.by("ssm", &user);
        }
    }

    fn by(&mut self, service: &str, user: &str) {
        self.endpoints.entry(service.to_owned()).or_insert_with(|| user.to_owned());
    }
}
