//! What would have to be asked, and the call that answers it.

use std::fmt;

use super::setting_arn;
use crate::ids::Arn;
use crate::image::ImageReference;
use crate::resource::{ResourceId, ResourceType};
use crate::text::argument;

/// A fact that a judgement lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A member of the resource itself, which the event does not show.
    Member(String),
    /// A member of the input of what is not made yet: nothing describes it.
    Input(String),
    /// A resource's document.
    Resource(ResourceId),
    /// A subnet.
    Subnet(String),
    /// The route tables of a VPC.
    RouteTables(String),
    /// A NAT gateway.
    NatGateway(String),
    /// The endpoints of a VPC.
    Endpoints(String),
    /// Whether a VPC resolves names.
    VpcDns(String),
    /// A security group.
    SecurityGroup(String),
    /// The ranges of a prefix list.
    PrefixList(String),
    /// The container instances of a cluster. Whoever fetches them does well to fetch their EC2 instances and those
    /// instances' groups at once: each is needed next, and rounds are few.
    ContainerInstances(Arn),
    /// An EC2 instance.
    Instance(String),
    /// A role with its policies, by its ARN without a path.
    Role(Arn),
    /// The default version of a managed policy.
    ManagedPolicy(String),
    /// The digests that a service runs.
    RunningImages(Arn),
    /// The images of an ECR repository.
    Repository(ImageReference),
    /// A log group.
    LogGroup(String),
    /// Whether a role may write to a log group.
    LogRights(String),
    /// The tasks of a cluster, and which of them have ECS Exec on.
    Tasks(Arn),
    /// Whether a role may log sessions of ECS Exec.
    ExecLogRights(Arn),
    /// Whether a task has a public address.
    PublicAddress(Arn),
    /// A parameter of a control, by its name and the control's slug, which the policy does not set.
    Parameter(&'static str, &'static str),
}

impl Need {
    /// An account's default of a setting, in the Region of a resource.
    pub(crate) fn account_setting(place: &Arn, name: &str) -> Option<Self> {
        let arn = setting_arn(place, place.region(), name)?;
        Some(Self::Resource(ResourceId { kind: ResourceType::AccountSetting, arn }))
    }

    /// The need as seen from outside: a member of a resource is shown by describing the resource.
    pub fn of(&self, id: &ResourceId) -> Self {
        match self {
            Self::Member(_) => Self::Resource(id.clone()),
            other => other.clone(),
        }
    }

    /// The call that would answer it, for people; where it takes several, they stand in a row between dots.
    pub fn call(&self) -> String {
        match self {
            Self::Member(path) => format!("the described resource's `{path}`"),
            Self::Input(path) => format!("`{path}` in the input"),
            Self::Resource(id) => describe(id),
            Self::Subnet(id) => format!("aws ec2 describe-subnets --subnet-ids {}", argument(id)),
            Self::RouteTables(vpc) => {
                format!("aws ec2 describe-route-tables --filters Name=vpc-id,Values={}", argument(vpc))
            }
            Self::NatGateway(id) => {
                format!("aws ec2 describe-nat-gateways --nat-gateway-ids {}", argument(id))
            }
            Self::Endpoints(vpc) => {
                // An empty answer alone would not say which VPC it is of.
                let vpc = word(vpc);
                format!(
                    "aws ec2 describe-vpc-endpoints --filters Name=vpc-id,Values={vpc} --query '{{VpcId:`\"{vpc}\"`,VpcEndpoints:VpcEndpoints}}'"
                )
            }
            Self::VpcDns(vpc) => {
                let call = format!("aws ec2 describe-vpc-attribute --vpc-id {} --attribute", argument(vpc));
                format!("{call} enableDnsSupport · {call} enableDnsHostnames")
            }
            Self::SecurityGroup(id) => {
                format!("aws ec2 describe-security-groups --group-ids {}", argument(id))
            }
            Self::PrefixList(id) => {
                // The answer alone would not say which list it is of.
                let id = word(id);
                format!(
                    "aws ec2 get-managed-prefix-list-entries --prefix-list-id {id} --query '{{PrefixListId:`\"{id}\"`,Entries:Entries}}'"
                )
            }
            Self::ContainerInstances(cluster) => {
                let name = argument(cluster.name());
                format!(
                    "aws ecs describe-container-instances --cluster {name} --container-instances $(aws ecs list-container-instances --cluster {name} --query 'containerInstanceArns[]' --output text)"
                )
            }
            Self::Instance(id) => format!("aws ec2 describe-instances --instance-ids {}", argument(id)),
            Self::Role(_) => {
                "aws iam get-account-authorization-details --filter Role LocalManagedPolicy".to_owned()
            }
            Self::ManagedPolicy(arn) => format!(
                "aws iam get-account-authorization-details --filter LocalManagedPolicy --query \"{{Policies:Policies[?Arn=='{}']}}\"",
                word(arn)
            ),
            Self::RunningImages(arn) => {
                let name = arn.name();
                let (cluster, service) = name.split_once('/').unwrap_or(("default", name));
                format!(
                    "aws ecs describe-service-revisions --service-revision-arns $(aws ecs describe-services --cluster {} --services {} --query 'services[].currentServiceRevisions[].arn' --output text)",
                    argument(cluster),
                    argument(service)
                )
            }
            Self::Repository(image) => {
                let (account, region) = image.ecr().unwrap_or_default();
                format!(
                    "aws ecr describe-images --registry-id {account} --repository-name {} --region {}",
                    image.repository,
                    argument(region)
                )
            }
            Self::LogGroup(name) => {
                format!("aws logs describe-log-groups --log-group-name-prefix {}", argument(name))
            }
            Self::LogRights(role) => format!(
                "aws iam simulate-principal-policy --policy-source-arn {} --action-names logs:CreateLogStream logs:PutLogEvents",
                argument(role)
            ),
            Self::Tasks(cluster) => {
                let name = argument(cluster.name());
                let list = format!("aws ecs list-tasks --cluster {name}");
                format!(
                    "{list} · aws ecs describe-tasks --cluster {name} --tasks $({list} --query 'taskArns[]' --output text)"
                )
            }
            Self::ExecLogRights(role) => format!(
                "aws iam simulate-principal-policy --policy-source-arn {} --action-names logs:DescribeLogGroups \
                 logs:DescribeLogStreams logs:CreateLogStream logs:PutLogEvents",
                argument(role.as_str())
            ),
            Self::PublicAddress(task) => {
                let name = task.name();
                let (cluster, id) = name.split_once('/').unwrap_or(("default", name));
                let describe = format!(
                    "aws ecs describe-tasks --cluster {} --tasks {}",
                    argument(cluster),
                    argument(id)
                );
                let query = "tasks[].attachments[].details[] | [?name=='networkInterfaceId'].value";
                format!(
                    "{describe} · aws ec2 describe-network-interfaces --network-interface-ids $({describe} --query \"{query}\" --output text)"
                )
            }
            Self::Parameter(name, control) => format!("the policy's `{name}` under [controls.{control}]"),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.call())
    }
}

/// An id or ARN inside of a query, where no quote can end what it stands in.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.:/+=,@".contains(*c)).collect()
}

fn describe(id: &ResourceId) -> String {
    let name = argument(id.arn.name());
    let (cluster, last) = name.split_once('/').unwrap_or(("default", &name));
    match id.kind {
        ResourceType::Cluster => {
            format!("aws ecs describe-clusters --clusters {name} --include SETTINGS CONFIGURATIONS TAGS")
        }
        ResourceType::TaskDefinition => {
            format!("aws ecs describe-task-definition --task-definition {name} --include TAGS")
        }
        ResourceType::DaemonTaskDefinition => {
            format!("aws ecs describe-daemon-task-definition --daemon-task-definition {name}")
        }
        ResourceType::Service => {
            format!("aws ecs describe-services --cluster {cluster} --services {last} --include TAGS")
        }
        ResourceType::ExpressGatewayService => {
            format!("aws ecs describe-express-gateway-service --service-arn {} --include TAGS", id.arn)
        }
        ResourceType::Daemon => format!("aws ecs describe-daemon --daemon-arn {}", id.arn),
        ResourceType::TaskSet => format!("aws ecs describe-task-sets --cluster {cluster} --service {last}"),
        ResourceType::Task => format!("aws ecs describe-tasks --cluster {cluster} --tasks {last}"),
        ResourceType::ContainerInstance => {
            format!("aws ecs describe-container-instances --cluster {cluster} --container-instances {last}")
        }
        ResourceType::AccountSetting => "aws ecs list-account-settings --effective-settings".to_owned(),
        ResourceType::CapacityProvider => {
            format!("aws ecs describe-capacity-providers --capacity-providers {name} --include TAGS")
        }
        ResourceType::AutoScalingGroup => {
            format!("aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {last}")
        }
        ResourceType::SecurityGroup if id.arn.name().starts_with("sg-") => {
            format!("aws ec2 describe-security-group-rules --filters Name=group-id,Values={name}")
        }
        ResourceType::SecurityGroup => format!("aws ec2 describe-security-groups --group-names {name}"),
        ResourceType::NetworkInterface => {
            format!("aws ec2 describe-network-interfaces --network-interface-ids {name}")
        }
        ResourceType::NetworkAcl => format!("aws ec2 describe-network-acls --network-acl-ids {name}"),
        ResourceType::Role | ResourceType::User | ResourceType::Group | ResourceType::ManagedPolicy => {
            "aws iam get-account-authorization-details".to_owned()
        }
        ResourceType::PasswordPolicy => "aws iam get-account-password-policy".to_owned(),
        ResourceType::Repository => format!("aws ecr describe-repositories --repository-names {name}"),
        ResourceType::Registry => "aws ecr get-registry-scanning-configuration".to_owned(),
        ResourceType::Image => {
            let (repository, digest) = id.arn.name().rsplit_once('/').unwrap_or_default();
            format!(
                "aws ecr describe-images --repository-name {} --image-ids imageDigest={}",
                argument(repository),
                argument(digest)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_breaks_out_of_the_quotes_of_a_query() {
        let name = "arn:aws:iam::1:policy/a'\"`$(curl evil);b";
        let call = Need::ManagedPolicy(name.to_owned()).call();
        assert!(
            call.ends_with("--query \"{Policies:Policies[?Arn=='arn:aws:iam::1:policy/acurlevilb']}\""),
            "{call}"
        );
        let call = Need::PrefixList("pl-1'`\"; rm".to_owned()).call();
        assert!(
            call.ends_with("--prefix-list-id pl-1rm --query '{PrefixListId:`\"pl-1rm\"`,Entries:Entries}'"),
            "{call}"
        );
        let call = Need::Endpoints("vpc-1'`\"; rm".to_owned()).call();
        assert!(
            call.ends_with("Values=vpc-1rm --query '{VpcId:`\"vpc-1rm\"`,VpcEndpoints:VpcEndpoints}'"),
            "{call}"
        );
        let cluster: Arn = "arn:aws:ecs:eu-west-1:1:cluster/a;b".parse().unwrap();
        assert!(
            Need::ContainerInstances(cluster).call().contains("--cluster 'a;b' --container-instances $(")
        );
    }
}
