//! New clusters of an account report through Container Insights.
//!
//! The account's default holds for every cluster that is made without a word of its own. `enhanced` is more than
//! `enabled`, and both comply. Other settings, and what one user or role set for itself, do not concern it. Says nothing
//! of clusters that there are: `ecs-cluster-container-insights` does.

use crate::control::{Compliance, Context, Control, Functions, Practice, Ratchet, Rule, Severity, Violation};
use crate::document::Field;
use crate::facts::Need;
use crate::preflight;
use crate::remediation::{Action, Fix, PatchBuilder, Safety};
use crate::resource::AccountSetting;

pub(super) static CONTROL: Control = Control {
    slug: "ecs-account-container-insights",
    title: "Container Insights is the default of new clusters",
    severity: Severity::Medium,
    standards: &[],
    practice: Some(Practice::LoggingAndMonitoring),
    rationale: "ECS.12 wants Container Insights on in every cluster. With the account's default on, a cluster that says \
                nothing has it from its first task, and nobody has to mend it afterwards.",
    template: "CloudFormation has no such resource; Terraform: aws_ecs_account_setting_default { name = \
               \"containerInsights\" value = \"enabled\" }",
    prevention: "deny ecs:PutAccountSettingDefault, ecs:PutAccountSetting and ecs:DeleteAccountSetting with the condition StringEquals ecs:account-setting = \
                 containerInsights in an SCP, once it is set",
    reference: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutAccountSettingDefault.html",
    safety: Safety::Safe,
    call: Some(Action::PutAccountSettingDefault),
    ratchet: Ratchet::Code,
    preflight: "",
    opt_in: false,
    parameters: &[],
    rule: Rule::AccountSetting(Functions { check, fix, preflight: preflight::nothing }),
};

const PATH: &str = "/value";

fn check(setting: &AccountSetting, _: &Context<'_>) -> Compliance {
    let unknown = |path: &str| Compliance::Unknown(vec![Need::Member(path.to_owned())]);
    match setting.name.text() {
        Some("containerInsights") => {}
        Some(_) => return Compliance::NotApplicable("it is another setting"),
        None => return unknown("/name"),
    }
    if setting.principal_arn.is_hidden() {
        return unknown("/principalArn");
    }
    if !setting.is_default() {
        return Compliance::NotApplicable("it is one principal's own setting, not the account's default");
    }
    match &setting.value {
        Field::Known(value) if matches!(value.as_str(), "enabled" | "enhanced") => Compliance::Passed,
        Field::Known(value) if value == "disabled" => {
            Compliance::Failed(vec![Violation::new(PATH, value.as_str(), "enabled")])
        }
        // A value that came after this was built may be more than `enabled`.
        Field::Known(_) | Field::Absent | Field::Hidden => unknown(PATH),
    }
}

/// Safe: only clusters that are still to be made have it, no cluster is changed, and the same call undoes it.
fn fix(_: &AccountSetting, _: &Context<'_>) -> Option<Fix> {
    let patch = PatchBuilder::new().test("/name", "containerInsights").replace(PATH, "disabled", "enabled");
    let summary = "make Container Insights the default of clusters that are still to be made; CloudWatch will bill their \
                   metrics as custom metrics";
    Some(Fix::new(patch, Safety::Safe, summary))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::table::Expect::{Failed, NotApplicable, Passed, Unknown};
    use crate::controls::table::check;

    #[test]
    fn table() {
        let of = |principal: Value, value: &str| json!({"name": "containerInsights", "value": value, "principalArn": principal, "type": "user"});
        let root = |value: &str| of(json!("arn:aws:iam::111122223333:root"), value);
        let mut other = root("disabled");
        other["name"] = json!("fargateFIPSMode");
        check(
            &CONTROL,
            &[
                ("off", root("disabled"), Failed(&[PATH])),
                ("on", root("enabled"), Passed),
                ("more than on", root("enhanced"), Passed),
                ("a value of the future", root("enhanced-plus"), Unknown),
                ("no principal is the account", of(Value::Null, "disabled"), Failed(&[PATH])),
                ("one user's", of(json!("arn:aws:iam::111122223333:user/mary"), "disabled"), NotApplicable),
                ("one role's", of(json!("arn:aws:iam::111122223333:role/ci"), "disabled"), NotApplicable),
                ("whose is hidden", of(json!("HIDDEN_DUE_TO_SECURITY_REASONS"), "disabled"), Unknown),
                ("another setting", other, NotApplicable),
                ("no name", json!({"value": "disabled"}), Unknown),
                ("no value", json!({"name": "containerInsights"}), Unknown),
            ],
        );
    }
}
