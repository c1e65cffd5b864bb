//! Roles and the policies that they have, as `aws iam get-account-authorization-details` prints them.
//!
//! A role is known by its account and name: the name is unique in an account, `taskRoleArn` may be the bare name, and
//! the path that an ARN may have is in no event of IAM. Answers of `get-role-policy` and `get-policy-version` are
//! no facts: the one names no account and the other no policy, so that joining them to a role would be a guess.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Need;
use crate::document::{Field, Present};
use crate::ids::Arn;
use crate::policy_document::PolicyDocument;
use crate::text::shown;

/// AWS's own policies that make an administrator: of everything, of everything but people, and of people.
const ADMINISTRATORS: [&str; 3] =
    ["policy/AdministratorAccess", "policy/PowerUserAccess", "policy/IAMFullAccess"];

/// What is known of roles and policies.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// By the ARN without a path.
    roles: BTreeMap<Arn, Role>,
    /// The default version of each managed policy; `None` where it is not shown, or can't be read.
    policies: BTreeMap<String, Option<PolicyDocument>>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Role {
    /// Its ARN, with the path that it has.
    arn: Field<String>,
    /// The managed policies that are attached to it.
    pub attached_managed_policies: Field<Vec<AttachedPolicy>>,
    /// The policies that are part of it.
    pub role_policy_list: Field<Vec<InlinePolicy>>,
    /// The policy that bounds what all others give.
    permissions_boundary: Field<PermissionsBoundary>,
}

/// A managed policy, attached to a role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct AttachedPolicy {
    /// Its name.
    pub policy_name: Field<String>,
    /// Its ARN; AWS's own are of the account `aws`.
    pub policy_arn: Field<String>,
}

/// A policy that is part of a role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct InlinePolicy {
    /// Its name.
    pub policy_name: Field<String>,
    /// What it says; hidden where it can't be read.
    pub policy_document: Field<PolicyDocument>,
}

/// The policy that bounds a role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PermissionsBoundary {
    permissions_boundary_arn: Field<String>,
}

/// Whether a role is an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Power {
    /// It is, for these reasons.
    Administrator(Vec<String>),
    /// It is not.
    Less,
    /// Nobody can tell without these facts.
    Unknown(Vec<Need>),
}

/// What one policy makes of a role.
enum Verdict {
    Administrator(String),
    Less,
    DeniesEverything,
    Unknown(Need),
}

/// The ARN, without a path, of a role that a document of `home` names by ARN or by its bare name. `None` where it
/// is neither.
pub fn role_arn(given: &str, home: &Arn) -> Option<Arn> {
    let (partition, account, name) = match given.parse::<Arn>() {
        Ok(arn) if arn.service() == "iam" => {
            let name = arn.resource().strip_prefix("role/")?.to_owned();
            (arn.partition().to_owned(), arn.account().to_owned(), name)
        }
        Ok(_) => return None,
        Err(_) => (home.partition().to_owned(), home.account().to_owned(), given.to_owned()),
    };
    let name = name.rsplit('/').next().filter(|name| !name.is_empty() && !name.contains(':'))?;
    format!("arn:{partition}:iam::{account}:role/{name}").parse().ok()
}

impl Identity {
    /// A role, by its ARN without a path.
    pub fn role(&self, arn: &Arn) -> Option<&Role> {
        self.roles.get(arn)
    }

    /// Whether a role is an administrator, by the policies that it has. A boundary that is known to be less makes it
    /// less.
    pub fn power(&self, arn: &Arn) -> Power {
        let need = || Need::Role(arn.clone());
        let Some(role) = self.role(arn) else { return Power::Unknown(vec![need()]) };
        let (mut reasons, mut needs) = (Vec::new(), Vec::new());
        let (Some(attached), Some(inline)) =
            (role.attached_managed_policies.known(), role.role_policy_list.known())
        else {
            return Power::Unknown(vec![need()]);
        };
        let attached = attached.iter().map(|policy| match policy.policy_arn.text() {
            Some(policy) => self.managed(policy),
            None => Verdict::Unknown(need()),
        });
        let inline = inline.iter().map(|policy| {
            let name = format!("inline policy `{}`", shown(policy.policy_name.text().unwrap_or("?")));
            weigh(&name, policy.policy_document.known(), need())
        });
        for verdict in attached.chain(inline) {
            match verdict {
                Verdict::Administrator(reason) => reasons.push(reason),
                Verdict::Unknown(need) => needs.push(need),
                Verdict::DeniesEverything => return Power::Less,
                Verdict::Less => {}
            }
        }
        if reasons.is_empty() && needs.is_empty() {
            return Power::Less;
        }
        match self.boundary(role, need()) {
            Verdict::Less | Verdict::DeniesEverything => Power::Less,
            Verdict::Unknown(need) => Power::Unknown(vec![need]),
            Verdict::Administrator(_) if reasons.is_empty() => Power::Unknown(needs),
            Verdict::Administrator(_) => Power::Administrator(reasons),
        }
    }

    /// What the boundary leaves; without one, everything.
    fn boundary(&self, role: &Role, need: Need) -> Verdict {
        let arn = match &role.permissions_boundary {
            Field::Absent => return Verdict::Administrator(String::new()),
            Field::Hidden => return Verdict::Unknown(need),
            Field::Known(boundary) => &boundary.permissions_boundary_arn,
        };
        arn.text().map_or(Verdict::Unknown(need), |arn| self.managed(arn))
    }

    /// What a managed policy makes of whoever has it. AWS's own are known by name, where their text is not at hand.
    fn managed(&self, policy: &str) -> Verdict {
        let Ok(arn) = policy.parse::<Arn>() else {
            return Verdict::Unknown(Need::ManagedPolicy(policy.to_owned()));
        };
        let aws = arn.service() == "iam" && arn.account() == "aws";
        let name = shown(arn.name());
        if aws && ADMINISTRATORS.contains(&arn.resource()) {
            return Verdict::Administrator(format!("{name} is attached"));
        }
        if aws && arn.resource() == "policy/AWSDenyAll" {
            return Verdict::DeniesEverything;
        }
        let document = self.policies.get(policy).and_then(Option::as_ref);
        if aws && document.is_none() {
            return Verdict::Less;
        }
        weigh(&format!("policy `{name}`"), document, Need::ManagedPolicy(policy.to_owned()))
    }

    /// Learns from an answer of IAM; says how many things it told of.
    pub(super) fn absorb(&mut self, json: &RawValue) -> usize {
        let Ok(answer) = serde_json::from_str::<Answer>(json.get()) else { return 0 };
        let mut told = 0;
        for role in answer.role_detail_list.into_known().unwrap_or_default() {
            let arn = role.arn.text().and_then(|text| text.parse::<Arn>().ok());
            if let Some(named) = arn.and_then(|arn| role_arn(arn.as_str(), &arn)) {
                self.roles.insert(named, role);
                told += 1;
            }
        }
        for policy in answer.policies.into_known().unwrap_or_default() {
            // `list-policies` has a list of this name too, which shows no version.
            if let (Some(arn), Field::Known(_)) = (policy.arn.text(), &policy.policy_version_list) {
                self.policies.insert(arn.to_owned(), policy.default_version().cloned());
                told += 1;
            }
        }
        told
    }

    /// Whether a document is an answer of IAM that is known here, though perhaps an empty one.
    pub(super) fn is_answer(json: &RawValue) -> bool {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "PascalCase")]
        struct Shape {
            role_detail_list: Field<Present>,
            policies: Field<Present>,
        }
        serde_json::from_str::<Shape>(json.get())
            .is_ok_and(|shape| !shape.role_detail_list.is_absent() || !shape.policies.is_absent())
    }
}

/// What the text of a policy makes of whoever has it.
fn weigh(name: &str, document: Option<&PolicyDocument>, need: Need) -> Verdict {
    match document {
        None => Verdict::Unknown(need),
        Some(document) if document.denies_everything() => Verdict::DeniesEverything,
        Some(document) => match document.administrator() {
            Some(grant) => Verdict::Administrator(format!("{name} {grant}")),
            None => Verdict::Less,
        },
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    role_detail_list: Field<Vec<Role>>,
    policies: Field<Vec<ManagedPolicy>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct ManagedPolicy {
    arn: Field<String>,
    default_version_id: Field<String>,
    policy_version_list: Field<Vec<Version>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Version {
    version_id: Field<String>,
    is_default_version: Field<bool>,
    document: Field<PolicyDocument>,
}

impl ManagedPolicy {
    fn default_version(&self) -> Option<&PolicyDocument> {
        let is_default =
            |version: &&Version| match (self.default_version_id.text(), version.version_id.text()) {
                (Some(default), Some(id)) => default == id,
                _ => version.is_default_version.known() == Some(&true),
            };
        self.policy_version_list.items().iter().find(is_default)?.document.known()
    }
}
