//! What the calls of EC2 Auto Scaling did to the groups that capacity providers take their hosts from. What is observed
//! has the shape of `DescribeAutoScalingGroups`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Place;
use super::effect::{Effect, Nothing, part};
use crate::change::Request;
use crate::document::{Field, Shape};
use crate::ids::Arn;
use crate::resource::{ResourceId, ResourceType};

/// The members of a request that tell where hosts come from and how they end.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Asked {
    auto_scaling_group_name: Field<String>,
    launch_configuration_name: Field<String>,
    launch_template: Field<Template>,
    mixed_instances_policy: Field<Mixed>,
    min_size: Field<u64>,
    max_size: Field<u64>,
    desired_capacity: Field<u64>,
    #[serde(rename = "vPCZoneIdentifier", alias = "vpcZoneIdentifier")]
    vpc_zone_identifier: Field<String>,
    new_instances_protected_from_scale_in: Field<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Mixed {
    launch_template: Field<MixedTemplate>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct MixedTemplate {
    launch_template_specification: Field<Template>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Template {
    launch_template_id: Field<String>,
    launch_template_name: Field<String>,
    version: Field<String>,
}

impl Template {
    fn shape(self) -> Shape {
        Shape::default()
            .with("LaunchTemplateId", self.launch_template_id)
            .with("LaunchTemplateName", self.launch_template_name)
            .with("Version", self.version)
    }
}

/// Reads what a successful call did. The answer is empty; the request holds what was set.
pub(super) fn effect(place: &Place, request: Option<&RawValue>) -> Result<Effect, Nothing> {
    let asked: Field<Asked> = request.map_or(Field::Absent, Field::read);
    let asked = asked.into_known().ok_or(Nothing::Unnamed)?;
    // The number in a group's ARN is in no request: an account has one group of a name in a Region.
    let name = asked.auto_scaling_group_name.text().ok_or(Nothing::Unnamed)?;
    let resource = format!("autoScalingGroup:autoScalingGroupName/{name}");
    let arn = Arn::regional("autoscaling", &place.account, &place.region, &resource);
    let id = ResourceId { kind: ResourceType::AutoScalingGroup, arn: arn.map_err(|_| Nothing::Unnamed)? };
    let mixed = asked.mixed_instances_policy.and_then(|mixed| mixed.launch_template);
    let mixed = mixed.and_then(|template| template.launch_template_specification).map(|template| {
        let template = Shape::default().with("LaunchTemplateSpecification", Field::Known(template.shape()));
        Shape::default().with("LaunchTemplate", Field::Known(template))
    });
    let shape = Shape::default()
        .with("AutoScalingGroupName", asked.auto_scaling_group_name)
        .with("LaunchConfigurationName", asked.launch_configuration_name)
        .with("LaunchTemplate", asked.launch_template.map(Template::shape))
        .with("MixedInstancesPolicy", mixed)
        .with("MinSize", asked.min_size)
        .with("MaxSize", asked.max_size)
        .with("DesiredCapacity", asked.desired_capacity)
        .with("VPCZoneIdentifier", asked.vpc_zone_identifier)
        .with("NewInstancesProtectedFromScaleIn", asked.new_instances_protected_from_scale_in);
    Ok(Effect { request: Request::Members(shape.names()), observed: vec![part(id, &shape)], retagged: None })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::effect::testing::{place, raw, set, told};
    use super::*;

    fn call(request: &Value) -> Result<Effect, Nothing> {
        effect(&place("eu-west-1"), raw(request).as_deref())
    }

    #[test]
    fn what_the_request_sets_is_a_part_of_the_group() {
        let template = json!({"launchTemplateId": "lt-1", "version": "$Latest"});
        let request = json!({"autoScalingGroupName": "hosts", "newInstancesProtectedFromScaleIn": false, "maxSize": 4,
            "vPCZoneIdentifier": "subnet-1,subnet-2", "terminationPolicies": ["Default"], "launchTemplate": template,
            "mixedInstancesPolicy": {"launchTemplate": {"launchTemplateSpecification": template, "overrides": []}}});
        let template = json!({"LaunchTemplateId": "lt-1", "Version": "$Latest"});
        let part = json!([{
            "Part": "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:autoScalingGroupName/hosts",
            "AutoScalingGroupName": "hosts", "NewInstancesProtectedFromScaleIn": false, "MaxSize": 4,
            "VPCZoneIdentifier": "subnet-1,subnet-2", "LaunchTemplate": template,
            "MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": template}}
        }]);
        assert_eq!(told(call(&request)), part);
        let members = ["AutoScalingGroupName", "LaunchTemplate", "MaxSize", "MixedInstancesPolicy"];
        assert_eq!(set(call(&request))[..4], members);
    }

    #[test]
    fn a_group_without_a_name_is_none() {
        for request in [Value::Null, json!({}), json!({"omitted": true}), json!({"autoScalingGroupName": ""})]
        {
            assert_eq!(told(call(&request)), "unnamed", "{request}");
        }
    }
}
