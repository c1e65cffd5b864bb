//! The commands by which a person makes a change, or takes it back, out of the plans.

use std::collections::BTreeMap;

use json_patch::{Patch, PatchOperation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::judgement::Judgement;
use crate::remediation::{Action, provisional_arn};
use crate::resource::ResourceId;
use crate::text::whole_argument;

/// The longest command that a message prints. One that is longer would have to be cut, and a command that is cut does
/// something else.
const LONGEST: usize = 4096;

const NETWORK: &str = "/networkConfiguration/awsvpcConfiguration/";

/// What a person does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Runs a command.
    Run(String),
    /// Does what a sentence says.
    Say(String),
}

/// Which state a command leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// What stood there before the fix.
    Before,
    /// What the fix makes of it.
    After,
}

/// Whether a text is a command.
pub(super) fn is_command(text: &str) -> bool {
    text.starts_with("aws ")
}

/// The steps that lead to one side of the plans, call by call.
pub(super) fn steps(judgements: &[&Judgement], side: Side, id: &ResourceId, region: &str) -> Vec<Step> {
    let mut plans: BTreeMap<Action, Vec<&Patch>> = BTreeMap::new();
    for judgement in judgements {
        let Some(fix) = &judgement.fix else { continue };
        let Some(call) = fix.call else { continue };
        plans.entry(call).or_default().push(&fix.patch);
    }
    let steps = plans.into_iter().flat_map(|(call, patches)| of_call(call, &members(&patches), side, id));
    steps.map(|step| complete(step, region)).collect()
}

/// A revision that nothing needs any more.
pub(super) fn deregister(revision: &str, region: &str) -> Step {
    let command =
        format!("aws ecs deregister-task-definition --task-definition {}", whole_argument(revision));
    complete(Step::Run(command), region)
}

fn complete(step: Step, region: &str) -> Step {
    match step {
        Step::Run(command) if command.len() > LONGEST => {
            Step::Say("The command would be too long for a message: the plan says what it sets.".to_owned())
        }
        Step::Run(command) => Step::Run(format!("{command} --region {}", whole_argument(region))),
        say @ Step::Say(_) => say,
    }
}

/// What a place holds before and after; none where it holds nothing.
#[derive(Default)]
struct Place<'a> {
    before: Option<&'a Value>,
    after: Option<&'a Value>,
}

impl<'a> Place<'a> {
    fn at(&self, side: Side) -> Option<&'a Value> {
        match side {
            Side::Before => self.before,
            Side::After => self.after,
        }
    }

    fn text(&self, side: Side) -> Option<String> {
        self.at(side).map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
    }
}

/// Every place that the plans name. What they only test is the same before and after.
fn members<'a>(patches: &[&'a Patch]) -> BTreeMap<&'a str, Place<'a>> {
    let mut places: BTreeMap<&str, Place<'_>> = BTreeMap::new();
    for operation in patches.iter().flat_map(|patch| &patch.0) {
        match operation {
            PatchOperation::Test(test) => {
                places
                    .entry(test.path.as_str())
                    .or_insert(Place { before: Some(&test.value), after: Some(&test.value) });
            }
            PatchOperation::Replace(replace) => {
                places.entry(replace.path.as_str()).or_default().after = Some(&replace.value);
            }
            PatchOperation::Add(add) => {
                places.entry(add.path.as_str()).or_default().after = Some(&add.value);
            }
            PatchOperation::Remove(remove) => places.entry(remove.path.as_str()).or_default().after = None,
            PatchOperation::Move(_) | PatchOperation::Copy(_) => {}
        }
    }
    places
}

fn of_call(call: Action, places: &BTreeMap<&str, Place<'_>>, side: Side, id: &ResourceId) -> Vec<Step> {
    match call {
        Action::TagResource => tag_resource(places, side, id),
        Action::UpdateClusterSettings => update_settings(places, side, id),
        Action::UpdateCluster => update_cluster(places, side, id),
        Action::PutAccountSettingDefault => put_default(places, side),
        Action::RegisterTaskDefinition => vec![register(side, id)],
        Action::UpdateService => update_service(places, side, id),
    }
}

/// Plans add tags, and never change one that is there.
fn tag_resource(places: &BTreeMap<&str, Place<'_>>, side: Side, id: &ResourceId) -> Vec<Step> {
    let added =
        places.iter().filter(|(path, _)| path.starts_with("/tags")).filter_map(|(_, place)| place.after);
    let tags = added.flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]));
    let arn = whole_argument(id.arn.as_str());
    let (mut keys, mut pairs) = (String::new(), String::new());
    for tag in tags {
        let (Some(key), Some(value)) = (tag["key"].as_str(), tag["value"].as_str()) else { continue };
        keys = format!("{keys} {}", whole_argument(key));
        pairs = format!("{pairs} {}", whole_argument(&format!("key={key},value={value}")));
    }
    vec![Step::Run(match side {
        Side::Before => format!("aws ecs untag-resource --resource-arn {arn} --tag-keys{keys}"),
        Side::After => format!("aws ecs tag-resource --resource-arn {arn} --tags{pairs}"),
    })]
}

/// A setting that is not there is off: it has no command of its own that takes it away.
fn update_settings(places: &BTreeMap<&str, Place<'_>>, side: Side, id: &ResourceId) -> Vec<Step> {
    let cluster = whole_argument(id.arn.name());
    let mut steps = Vec::new();
    for (path, place) in places {
        let Some(rest) = path.strip_prefix("/settings/") else { continue };
        let (name, value) = match rest.split_once('/') {
            Some((index, "value")) => {
                let name = places.get(format!("/settings/{index}/name").as_str());
                (name.and_then(|name| name.text(side)), place.text(side))
            }
            None => {
                let added = place.after.map(|added| (added["name"].as_str(), added["value"].as_str()));
                let (name, value) = added.unwrap_or_default();
                let value = value.filter(|_| side == Side::After);
                (name.map(ToOwned::to_owned), value.map(ToOwned::to_owned))
            }
            Some(_) => continue,
        };
        let name = name.unwrap_or_else(|| "containerInsights".to_owned());
        let value = value.unwrap_or_else(|| "disabled".to_owned());
        let setting = whole_argument(&format!("name={name},value={value}"));
        steps.push(Step::Run(format!(
            "aws ecs update-cluster-settings --cluster {cluster} --settings {setting}"
        )));
    }
    steps
}

/// UpdateCluster replaces the configuration whole, of which the plan shows a part: a command out of that part would
/// take the rest away.
fn update_cluster(places: &BTreeMap<&str, Place<'_>>, side: Side, id: &ResourceId) -> Vec<Step> {
    let cluster = whole_argument(id.arn.name());
    let wanted: Vec<String> = places
        .iter()
        .map(|(path, place)| match place.at(side) {
            Some(value) => format!("{path} {value}"),
            None => format!("no {path}"),
        })
        .collect();
    let wanted = wanted.join(" and ");
    vec![
        Step::Run(format!("aws ecs describe-clusters --clusters {cluster} --include CONFIGURATIONS")),
        Step::Say(format!(
            "Then send that configuration whole, with {wanted}, by: aws ecs update-cluster --cluster {cluster} \
             --configuration"
        )),
    ]
}

fn put_default(places: &BTreeMap<&str, Place<'_>>, side: Side) -> Vec<Step> {
    let text = |path: &str| places.get(path).and_then(|place| place.text(side));
    let (Some(name), Some(value)) = (text("/name"), text("/value")) else { return Vec::new() };
    let (name, value) = (whole_argument(&name), whole_argument(&value));
    vec![Step::Run(format!("aws ecs put-account-setting-default --name {name} --value {value}"))]
}

fn register(side: Side, id: &ResourceId) -> Step {
    let name = id.arn.name();
    Step::Say(match side {
        Side::Before => format!(
            "The revision {name} is as it was. The one that was registered beside it runs only where a service was \
             moved to it, which a message of its own tells: move such a service back first, then deregister it."
        ),
        Side::After => format!(
            "A revision can't be changed: register a new one of {name} with this change, and move its services to it \
             (aws ecs update-service --task-definition), which starts deployments."
        ),
    })
}

fn update_service(places: &BTreeMap<&str, Place<'_>>, side: Side, id: &ResourceId) -> Vec<Step> {
    let mut options = String::new();
    let mut block = Map::new();
    let mut steps = Vec::new();
    for (path, place) in places {
        let value = place.at(side);
        match (*path, value) {
            ("/taskDefinition", Some(Value::String(arn))) => {
                let old = place.before.and_then(Value::as_str).and_then(|old| old.parse().ok());
                if old.is_some_and(|old| provisional_arn(&old) == *arn) {
                    steps.push(Step::Say(
                        "First register a mended revision, and name it in the place of the one below."
                            .to_owned(),
                    ));
                }
                options = format!("{options} --task-definition {}", whole_argument(arn));
            }
            ("/enableExecuteCommand", Some(Value::Bool(true))) => {
                options.push_str(" --enable-execute-command")
            }
            ("/enableExecuteCommand", _) => options.push_str(" --no-enable-execute-command"),
            ("/platformVersion", Some(Value::String(version))) => {
                options = format!("{options} --platform-version {}", whole_argument(version));
            }
            (path, value) => match (path.strip_prefix(NETWORK), value) {
                // The block is sent whole, since AWS replaces it whole.
                (Some(member), Some(value)) => {
                    block.insert(member.to_owned(), value.clone());
                }
                (Some(_), None) => {}
                (None, Some(value)) => steps.push(Step::Say(format!("Set {path} to {value}."))),
                (None, None) => steps.push(Step::Say(format!("Remove {path}."))),
            },
        }
    }
    if !block.is_empty() {
        let network = json!({ "awsvpcConfiguration": block }).to_string();
        options = format!("{options} --network-configuration {}", whole_argument(&network));
    }
    if !options.is_empty() {
        let (cluster, service) = id.arn.name().rsplit_once('/').unwrap_or(("default", id.arn.name()));
        let (cluster, service) = (whole_argument(cluster), whole_argument(service));
        steps.push(Step::Run(format!(
            "aws ecs update-service --cluster {cluster} --service {service}{options}"
        )));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::ResourceType;

    /// What takes a plan back, and what makes it.
    fn both(call: Action, kind: ResourceType, resource: &str, patch: Value) -> [Vec<String>; 2] {
        let patch: Patch = serde_json::from_value(patch).unwrap();
        let arn = format!("arn:aws:ecs:eu-west-1:111122223333:{resource}").parse().unwrap();
        let id = ResourceId { kind, arn };
        [Side::Before, Side::After].map(|side| {
            let steps = of_call(call, &members(&[&patch]), side, &id);
            let text = |step: Step| match step {
                Step::Run(command) => command.strip_prefix("aws ecs ").unwrap().to_owned(),
                Step::Say(sentence) => sentence,
            };
            steps.into_iter().map(text).collect()
        })
    }

    #[test]
    fn a_setting_goes_back_to_what_it_was_and_an_absent_one_is_off() {
        let set = |patch| both(Action::UpdateClusterSettings, ResourceType::Cluster, "cluster/shop", patch);
        let command = |value: &str| {
            vec![format!(
                "update-cluster-settings --cluster shop --settings name=containerInsights,value={value}"
            )]
        };
        let replaced = json!([{"op": "test", "path": "/settings/1/name", "value": "containerInsights"},
            {"op": "test", "path": "/settings/1/value", "value": "disabled"},
            {"op": "replace", "path": "/settings/1/value", "value": "enabled"}]);
        assert_eq!(set(replaced), [command("disabled"), command("enabled")]);
        let added = json!([{"op": "add", "path": "/settings/-",
            "value": {"name": "containerInsights", "value": "enabled"}}]);
        assert_eq!(set(added), [command("disabled"), command("enabled")]);
    }

    #[test]
    fn the_accounts_default_goes_back() {
        let patch = json!([{"op": "test", "path": "/name", "value": "containerInsights"},
            {"op": "test", "path": "/value", "value": "disabled"},
            {"op": "replace", "path": "/value", "value": "enabled"}]);
        let [undo, make] = both(
            Action::PutAccountSettingDefault,
            ResourceType::AccountSetting,
            "account-setting/containerInsights",
            patch,
        );
        assert_eq!(undo, ["put-account-setting-default --name containerInsights --value disabled"]);
        assert_eq!(make, ["put-account-setting-default --name containerInsights --value enabled"]);
    }

    #[test]
    fn a_configuration_is_never_sent_in_part() {
        let patch = json!([{"op": "test", "path": "/configuration/executeCommandConfiguration/logging", "value": "NONE"},
            {"op": "replace", "path": "/configuration/executeCommandConfiguration/logging", "value": "DEFAULT"},
            {"op": "test", "path": "/configuration/executeCommandConfiguration/logConfiguration", "value": {}},
            {"op": "remove", "path": "/configuration/executeCommandConfiguration/logConfiguration"}]);
        let [undo, make] = both(Action::UpdateCluster, ResourceType::Cluster, "cluster/shop", patch);
        assert_eq!(undo[0], "describe-clusters --clusters shop --include CONFIGURATIONS");
        assert!(undo[1].contains("executeCommandConfiguration/logging \"NONE\""), "{}", undo[1]);
        assert!(make[1].contains("with no /configuration/executeCommandConfiguration/logConfiguration and"));
    }

    #[test]
    fn one_update_of_a_service_says_everything_and_its_network_whole() {
        let old = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";
        let network = "/networkConfiguration/awsvpcConfiguration";
        let patch = json!([{"op": "test", "path": format!("{network}/subnets"), "value": ["subnet-1"]},
            {"op": "test", "path": format!("{network}/assignPublicIp"), "value": "ENABLED"},
            {"op": "replace", "path": format!("{network}/assignPublicIp"), "value": "DISABLED"},
            {"op": "test", "path": "/taskDefinition", "value": old},
            {"op": "replace", "path": "/taskDefinition", "value": format!("{old}-mended")},
            {"op": "test", "path": "/enableExecuteCommand", "value": true},
            {"op": "replace", "path": "/enableExecuteCommand", "value": false},
            {"op": "test", "path": "/platformVersion", "value": "1.3.0"},
            {"op": "replace", "path": "/platformVersion", "value": "LATEST"}]);
        let [undo, make] = both(Action::UpdateService, ResourceType::Service, "service/shop/web", patch);
        let block = |value: &str| format!("{{\"assignPublicIp\":\"{value}\",\"subnets\":[\"subnet-1\"]}}");
        let command = |exec: &str, version: &str, task: &str, value: &str| {
            let block = block(value);
            format!(
                "update-service --cluster shop --service web {exec} --platform-version {version} --task-definition \
                 {task} --network-configuration '{{\"awsvpcConfiguration\":{block}}}'"
            )
        };
        assert_eq!(undo[0], command("--enable-execute-command", "1.3.0", old, "ENABLED"));
        let mended = format!("{old}-mended");
        assert_eq!(make[0], "First register a mended revision, and name it in the place of the one below.");
        assert_eq!(make[1], command("--no-enable-execute-command", "LATEST", &mended, "DISABLED"));
    }

    #[test]
    fn tags_come_off_again() {
        let patch = json!([{"op": "add", "path": "/tags", "value": [{"key": "owner", "value": "no one"}]}]);
        let [undo, make] = both(Action::TagResource, ResourceType::Cluster, "cluster/shop", patch);
        let arn = "arn:aws:ecs:eu-west-1:111122223333:cluster/shop";
        assert_eq!(undo, [format!("untag-resource --resource-arn {arn} --tag-keys owner")]);
        assert_eq!(make, [format!("tag-resource --resource-arn {arn} --tags 'key=owner,value=no one'")]);
    }

    #[test]
    fn a_command_that_would_be_cut_is_none() {
        let Step::Say(_) = complete(Step::Run("x".repeat(LONGEST + 1)), "eu-west-1") else {
            panic!("a command")
        };
    }
}
