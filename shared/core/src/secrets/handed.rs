//! What a task definition or a launch hands to its containers in plain text, place by place.
//!
//! The views in here are private, have no `Debug`, and live as long as one judgement: the typed views of resources hold
//! none of these values.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::commands::Command;
use super::{in_named, in_text};
use crate::control::{Place, Violation};
use crate::document::{Document, Field, Present};

/// A definition has containers, a launch has overrides of them.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Handed {
    task_definition_arn: Field<Present>,
    container_definitions: Field<Vec<Container>>,
    overrides: Field<Overrides>,
    volumes: Field<Vec<Volume>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Overrides {
    container_overrides: Field<Vec<Container>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    environment: Field<Vec<Variable>>,
    command: Texts,
    entry_point: Texts,
    health_check: Field<HealthCheck>,
    docker_labels: Named,
    log_configuration: Field<Options>,
    firelens_configuration: Field<Options>,
}

type Texts = Field<Vec<Field<String>>>;
type Named = Field<BTreeMap<String, Field<String>>>;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Variable {
    name: Field<String>,
    value: Field<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HealthCheck {
    command: Texts,
}

/// Of a log driver or a log router.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Options {
    options: Named,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Volume {
    docker_volume_configuration: Field<DockerVolume>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct DockerVolume {
    driver_opts: Named,
    labels: Named,
}

/// What every text of a document says of secrets: variables, commands, labels, options of log drivers, of log routers
/// and of the drivers of volumes.
pub(crate) fn handed_texts(document: &Document) -> Vec<Place> {
    let Some(handed) = document.view::<Handed>() else { return vec![Place::Hidden(String::new())] };
    // ECS lists the variables of every registered revision: one without a list does not show them.
    let registered = !handed.task_definition_arn.is_absent();
    let mut places = Vec::new();
    for (index, container) in each(&handed.container_definitions, "/containerDefinitions", &mut places) {
        container.places(&format!("/containerDefinitions/{index}"), registered, &mut places);
    }
    if let Some(overrides) = one(&handed.overrides, "/overrides", &mut places) {
        let at = "/overrides/containerOverrides";
        for (index, container) in each(&overrides.container_overrides, at, &mut places) {
            container.places(&format!("{at}/{index}"), false, &mut places);
        }
    }
    for (index, volume) in each(&handed.volumes, "/volumes", &mut places) {
        volume.places(&format!("/volumes/{index}/dockerVolumeConfiguration"), &mut places);
    }
    places
}

impl Volume {
    fn places(&self, at: &str, places: &mut Vec<Place>) {
        let Some(docker) = one(&self.docker_volume_configuration, at, places) else { return };
        // ECS has no way to hand a secret to a volume's driver: the host has to have it.
        named(&docker.driver_opts, &format!("{at}/driverOpts"), places, |_| {
            "an option without a secret".to_owned()
        });
        named(&docker.labels, &format!("{at}/labels"), places, |_| "a label without a secret".to_owned());
    }
}

impl Container {
    fn places(&self, at: &str, registered: bool, places: &mut Vec<Place>) {
        let variables = format!("{at}/environment");
        if registered && self.environment.is_absent() {
            places.push(Place::Hidden(variables.clone()));
        }
        for (index, variable) in each(&self.environment, &variables, places) {
            variable.place(|| format!("{variables}/{index}"), places);
        }
        // The command goes on where the entry point ends.
        let mut command = Command::default();
        arguments(&self.entry_point, &format!("{at}/entryPoint"), &mut command, places);
        arguments(&self.command, &format!("{at}/command"), &mut command, places);
        if let Some(check) = one(&self.health_check, &format!("{at}/healthCheck"), places) {
            arguments(&check.command, &format!("{at}/healthCheck/command"), &mut Command::default(), places);
        }
        named(&self.docker_labels, &format!("{at}/dockerLabels"), places, |_| {
            "a label without a secret".to_owned()
        });
        if let Some(log) = one(&self.log_configuration, &format!("{at}/logConfiguration"), places) {
            named(&log.options, &format!("{at}/logConfiguration/options"), places, |name| {
                format!("{} in secretOptions, by valueFrom", printable(name).unwrap_or("the option"))
            });
        }
        if let Some(router) =
            one(&self.firelens_configuration, &format!("{at}/firelensConfiguration"), places)
        {
            named(&router.options, &format!("{at}/firelensConfiguration/options"), places, |_| {
                "an option without a secret".to_owned()
            });
        }
    }
}

impl Variable {
    fn place(&self, at: impl Fn() -> String, places: &mut Vec<Place>) {
        let name = self.name.text().unwrap_or_default();
        let place = match &self.value {
            Field::Absent => Place::Fine,
            Field::Hidden => Place::Hidden(format!("{}/value", at())),
            Field::Known(value) => of(in_named(name, value), at, || {
                format!("{} in secrets, by valueFrom", printable(name).unwrap_or("the variable"))
            }),
        };
        places.push(place);
    }
}

fn arguments<'a>(texts: &'a Texts, at: &str, command: &mut Command<'a>, places: &mut Vec<Place>) {
    for (index, text) in each(texts, at, places) {
        let at = || format!("{at}/{index}");
        places.push(match text {
            Field::Absent => Place::Fine,
            Field::Hidden => {
                command.skip();
                Place::Hidden(at())
            }
            Field::Known(text) => of(command.argument(text), at, || "a command without a secret".to_owned()),
        });
    }
}

fn named(values: &Named, at: &str, places: &mut Vec<Place>, wanted: impl Fn(&str) -> String) {
    for (name, value) in one(values, at, places).into_iter().flatten() {
        // A name that may itself be the secret is not spelt out: the place is the whole map.
        let at = || match printable(name) {
            Some(name) => format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
            None => at.to_owned(),
        };
        places.push(match value {
            Field::Absent => Place::Fine,
            Field::Hidden => Place::Hidden(at()),
            Field::Known(value) => of(in_named(name, value), at, || wanted(name)),
        });
    }
}

/// Most texts hold no secret, and their place need not be spelt out.
fn of(kind: Option<&'static str>, at: impl Fn() -> String, wanted: impl Fn() -> String) -> Place {
    kind.map_or(Place::Fine, |kind| Place::Violates(Violation::new(at(), kind, wanted())))
}

/// The elements of a list with their places; one that is hidden is a place of its own.
fn each<'a, T>(
    list: &'a Field<Vec<T>>,
    at: &str,
    places: &mut Vec<Place>,
) -> impl Iterator<Item = (usize, &'a T)> + use<'a, T> {
    if list.is_hidden() {
        places.push(Place::Hidden(at.to_owned()));
    }
    list.items().iter().enumerate()
}

fn one<'a, T>(member: &'a Field<T>, at: &str, places: &mut Vec<Place>) -> Option<&'a T> {
    if member.is_hidden() {
        places.push(Place::Hidden(at.to_owned()));
    }
    member.known()
}

/// A name that may be printed: short, plain, and nothing that looks like a secret itself.
fn printable(name: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./".contains(&b);
    let fine = !name.is_empty() && name.len() <= 64 && name.bytes().all(plain) && in_text(name).is_none();
    fine.then_some(name)
}
