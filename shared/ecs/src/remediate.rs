//! Writes: each call's body is made of what the resource is to become, as JSON, so that members which the SDK does not
//! know go with it. Nothing here decides: what is written was planned, proved and authorised before.

use aws_sdk_ecs::Client;
use serde_json::{Map, Value, json};
use shipshape_aws::failure::Failure;
use shipshape_aws::reach::Wrote;
use shipshape_core::remediation::{Action, Remediation};
use shipshape_core::resource::Resource;

use crate::raw::carry;

/// Writes everything but a revision, which is [`register`](crate::register)'s.
pub(crate) async fn write(
    client: &Client,
    remediation: &Remediation,
    after: &Resource,
) -> Result<Wrote, Failure> {
    let body = match body(remediation, after) {
        Some(body) => body.to_string(),
        None => return Ok(Wrote::Refused("the plan makes no call that can be told".to_owned())),
    };
    match remediation.action() {
        Action::UpdateClusterSettings => {
            let call = client.update_cluster_settings().customize();
            let sent = call.mutate_request(move |request| carry(request, &body)).send().await;
            sent.map_err(|error| Failure::of("UpdateClusterSettings", &error))?;
        }
        Action::UpdateCluster => {
            let call = client.update_cluster().customize();
            let sent = call.mutate_request(move |request| carry(request, &body)).send().await;
            sent.map_err(|error| Failure::of("UpdateCluster", &error))?;
        }
        Action::UpdateService => {
            let call = client.update_service().customize();
            let sent = call.mutate_request(move |request| carry(request, &body)).send().await;
            sent.map_err(|error| Failure::of("UpdateService", &error))?;
        }
        Action::PutAccountSettingDefault => {
            let call = client.put_account_setting_default().customize();
            let sent = call.mutate_request(move |request| carry(request, &body)).send().await;
            sent.map_err(|error| Failure::of("PutAccountSettingDefault", &error))?;
        }
        Action::TagResource => {
            let call = client.tag_resource().customize();
            let sent = call.mutate_request(move |request| carry(request, &body)).send().await;
            sent.map_err(|error| Failure::of_document("TagResource", &error))?;
        }
        Action::RegisterTaskDefinition => return Ok(Wrote::Refused("a revision is registered".to_owned())),
    }
    Ok(Wrote::Done(None))
}

/// The body of a call: the resource's name, and the members that the plan changes, whole, as they are to be.
fn body(remediation: &Remediation, after: &Resource) -> Option<Value> {
    let target = &remediation.target().arn;
    let document = after.document.value()?;
    let written: Map<String, Value> = remediation
        .members()
        .into_iter()
        .filter_map(|name| document.get(&name).map(|value| (name, value.clone())))
        .collect();
    let mut body = match remediation.action() {
        Action::UpdateClusterSettings | Action::UpdateCluster => json!({ "cluster": target.as_str() }),
        Action::UpdateService => {
            json!({ "cluster": remediation.target().cluster_arn()?.as_str(), "service": target.as_str() })
        }
        Action::TagResource => {
            let before = remediation.before().document.value()?;
            let known = before.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
            let tags = document.get("tags")?.as_array()?.iter();
            let added: Vec<&Value> = tags.filter(|tag| !known.contains(tag)).collect();
            return Some(json!({ "resourceArn": target.as_str(), "tags": added }));
        }
        Action::PutAccountSettingDefault => {
            return Some(json!({ "name": document.get("name")?, "value": document.get("value")? }));
        }
        Action::RegisterTaskDefinition => return None,
    };
    // A plan that changes no member would be a call that does something else.
    if written.is_empty() {
        return None;
    }
    body.as_object_mut()?.extend(written);
    Some(body)
}
