//! Revisions of task definitions, as `DescribeTaskDefinition` prints them and `RegisterTaskDefinition` takes
//! them; the containers of a managed daemon's definition have the same members.

use serde::Deserialize;

use super::health::HealthCheck;
use crate::document::{Field, Present};
use crate::text::shown;

mod volume;

pub use volume::{DockerVolume, DriverOptions, EfsVolume, HostVolume, MountPoint, Volume};

/// The host ports that ECS picks from where a definition names none: Linux's own range begins at 32768 (API reference,
/// PortMapping), the older and Windows' later; both end below or at this.
const EPHEMERAL: (u16, u16) = (32768, 65535);

/// The members of a task definition that controls and pre-flights read. `environment`, `command` and their kin
/// are not among them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskDefinition {
    /// Present once it is registered.
    pub task_definition_arn: Field<Present>,
    /// The family's name.
    pub family: Field<String>,
    /// `ACTIVE`, `INACTIVE` or `DELETE_IN_PROGRESS`; absent in the input of a register call.
    pub status: Field<String>,
    /// The containers; a definition without a list can't be judged.
    pub container_definitions: Field<Vec<Container>>,
    /// The operating system; absent means Linux.
    pub runtime_platform: Field<RuntimePlatform>,
    /// Volumes that containers may mount.
    pub volumes: Field<Vec<Volume>>,
    /// `awsvpc`, `bridge`, `host`, `none`; absent means `bridge`, on Windows `default`.
    pub network_mode: Field<String>,
    /// `host` or `task`; absent means one namespace a container. Of daemons `shared` or `none`.
    pub pid_mode: Field<String>,
    /// `host`, `task` or `none`; absent leaves it to the host's Docker. Of daemons `shared` or `none`.
    pub ipc_mode: Field<String>,
    /// `FARGATE`, `EC2`, `EXTERNAL`, `MANAGED_INSTANCES`: what the author demanded, and ECS checked.
    pub requires_compatibilities: Field<Vec<String>>,
    /// What ECS found that it could run on; shown of a registered revision only.
    pub compatibilities: Field<Vec<String>>,
    /// What ECS demands of the hosts that it places it on; shown of a registered revision only.
    pub requires_attributes: Field<Vec<Attribute>>,
    /// The role that pulls images and writes logs; a name or an ARN.
    pub execution_role_arn: Field<String>,
    /// The role of the program inside; a name or an ARN.
    pub task_role_arn: Field<String>,
}

/// Something that a host has to be able to do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Attribute {
    /// `ecs.capability.…`
    pub name: Field<String>,
}

/// The platform that tasks run on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RuntimePlatform {
    /// `LINUX`, `WINDOWS_SERVER_2022_CORE`, …
    pub operating_system_family: Field<String>,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Its name within the definition.
    pub name: Field<String>,
    /// The image's reference.
    pub image: Field<String>,
    /// Absent means `false`.
    pub privileged: Field<bool>,
    /// Absent means `false`.
    pub readonly_root_filesystem: Field<bool>,
    /// `USER`, `UID`, `USER:GROUP`, … ; absent leaves it to the image.
    pub user: Field<String>,
    /// Where its output goes.
    pub log_configuration: Field<LogConfiguration>,
    /// What it mounts.
    pub mount_points: Field<Vec<MountPoint>>,
    /// Present where secrets are injected; only that there are some is read.
    pub secrets: Field<Vec<SecretReference>>,
    /// The names of its variables; CloudTrail may hide the list.
    pub environment: Field<Vec<Variable>>,
    /// The hard limit in MiB; absent means none.
    pub memory: Field<i64>,
    /// Where ECS checks its health.
    pub health_check: Field<HealthCheck>,
    /// Capabilities and file systems in memory.
    pub linux_parameters: Field<LinuxParameters>,
    /// The ports that it opens.
    pub port_mappings: Field<Vec<PortMapping>>,
    /// Present where files in S3 are read for variables.
    pub environment_files: Field<Vec<Present>>,
    /// Present where a private registry asks for a password.
    pub repository_credentials: Field<Present>,
    /// `disabled` where ECS may start other digests of one tag side by side.
    pub version_consistency: Field<String>,
}

/// Where a container's output goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LogConfiguration {
    /// `awslogs`, `awsfirelens`, `splunk`, …
    pub log_driver: Field<String>,
    /// Its options, of which only these two are read.
    pub options: Field<LogOptions>,
    /// Options that are secrets.
    pub secret_options: Field<Vec<SecretReference>>,
}

/// Options of log drivers. Others may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct LogOptions {
    /// The Region of the log group; awslogs alone.
    #[serde(rename = "awslogs-region")]
    pub awslogs_region: Field<String>,
    /// `blocking` or `non-blocking`; absent leaves it to the account's `defaultLogDriverMode`.
    pub mode: Field<String>,
}

/// Where a secret lives. The reference is not the secret, and it is not printed either.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SecretReference {
    /// The ARN of a Secrets Manager secret, or the name or ARN of an SSM parameter.
    pub value_from: Field<String>,
}

/// A variable of a container, by its name. Its value is nowhere in this view.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Variable {
    /// The name.
    pub name: Field<String>,
}

/// What a container may do to its host's kernel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LinuxParameters {
    /// Capabilities beside Docker's own.
    pub capabilities: Field<Capabilities>,
    /// Memory that is mounted as a file system.
    pub tmpfs: Field<Vec<Tmpfs>>,
}

/// Memory that is mounted as a file system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tmpfs {
    /// Where it is mounted.
    pub container_path: Field<String>,
}

/// Linux capabilities, by their names without `CAP_`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Added to Docker's default set; `ALL` is that set (ECS API reference, KernelCapabilities).
    pub add: Field<Vec<String>>,
    /// Taken from it.
    pub drop: Field<Vec<String>>,
}

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PortMapping {
    /// The port inside.
    pub container_port: Field<u16>,
    /// The port of the host; absent or 0 in bridge mode is one that ECS picks.
    pub host_port: Field<u16>,
    /// `8000-8100`, in the place of a single port.
    pub container_port_range: Field<String>,
    /// `tcp` or `udp`; absent means `tcp`.
    pub protocol: Field<String>,
}

/// Ports of a host that a container opens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPorts {
    /// The container, by its name for people.
    pub container: String,
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// The first.
    pub from: u16,
    /// The last; of those up to here it may have any.
    pub to: u16,
}

impl HostPorts {
    /// One of them, in words.
    pub fn describe(&self, port: u16) -> String {
        let Self { container, protocol, from, to } = self;
        match from == to {
            true => format!("{protocol} {port}, where container `{container}` listens"),
            false => format!("{protocol} {port}, one of {from}-{to} that container `{container}` may get"),
        }
    }
}

impl TaskDefinition {
    /// Whether it runs on Windows. No family means Linux (ECS API reference, `RuntimePlatform`).
    /// Hidden where the family is.
    pub fn windows(&self) -> Field<bool> {
        match &self.runtime_platform {
            Field::Absent => Field::Known(false),
            Field::Hidden => Field::Hidden,
            Field::Known(platform) => match &platform.operating_system_family {
                Field::Absent => Field::Known(false),
                Field::Hidden => Field::Hidden,
                Field::Known(family) => {
                    Field::Known(family.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("WINDOWS")))
                }
            },
        }
    }

    /// Whether its author demanded this launch type and no other. Hidden where the demand is.
    pub fn requires_only(&self, launch_type: &str) -> Field<bool> {
        match &self.requires_compatibilities {
            Field::Absent => Field::Known(false),
            Field::Hidden => Field::Hidden,
            Field::Known(types) => {
                Field::Known(!types.is_empty() && types.iter().all(|one| one == launch_type))
            }
        }
    }

    /// The variables of one of its containers, by their names. ECS lists those of every registered revision: where one
    /// has no list, they are not shown.
    pub fn variables<'a>(&self, container: &'a Container) -> Field<&'a [Variable]> {
        match &container.environment {
            Field::Absent if !self.task_definition_arn.is_absent() => Field::Hidden,
            Field::Absent => Field::Absent,
            Field::Hidden => Field::Hidden,
            Field::Known(variables) => Field::Known(variables),
        }
    }

    /// The ports of its host that its containers open, as far as they declare them. Absent where tasks do not share
    /// their host's network.
    pub fn host_ports(&self) -> Field<Vec<HostPorts>> {
        let host = match &self.network_mode {
            Field::Known(mode) => match mode.as_str() {
                "awsvpc" | "none" => return Field::Absent,
                "host" => true,
                "bridge" | "default" => false,
                // A mode that came after this was built may be anything.
                _ => return Field::Hidden,
            },
            Field::Absent => false,
            Field::Hidden => return Field::Hidden,
        };
        let mut ports = Vec::new();
        for (index, container) in self.container_definitions.items().iter().enumerate() {
            if container.port_mappings.is_hidden() {
                return Field::Hidden;
            }
            for mapping in container.port_mappings.items() {
                let Some((protocol, (from, to))) = mapping.protocol().zip(mapping.on_host(host)) else {
                    return Field::Hidden;
                };
                ports.push(HostPorts { container: container.label(index), protocol, from, to });
            }
        }
        Field::Known(ports)
    }

    /// Whether its containers are shown; ECS knows no definition without any.
    pub fn is_shown(&self) -> bool {
        !self.container_definitions.items().is_empty()
    }

    /// Whether AWS keeps it for new tasks: not deregistered, not being deleted. The input of a register call
    /// has no status and will be active.
    pub fn active(&self) -> bool {
        match &self.status {
            Field::Known(status) => status == "ACTIVE",
            Field::Absent | Field::Hidden => true,
        }
    }
}

impl PortMapping {
    fn protocol(&self) -> Option<&'static str> {
        match &self.protocol {
            Field::Absent => Some("tcp"),
            Field::Known(protocol) => ["tcp", "udp"].into_iter().find(|one| one == protocol),
            Field::Hidden => None,
        }
    }

    /// The host's ports, first and last, in mode `host` or else in `bridge`. `None` where they are not shown.
    fn on_host(&self, host: bool) -> Option<(u16, u16)> {
        let port = if host { &self.container_port } else { &self.host_port };
        match port {
            Field::Hidden => None,
            Field::Known(port) if *port != 0 => Some((*port, *port)),
            _ if !host => Some(EPHEMERAL),
            _ => {
                let (from, to) = self.container_port_range.text()?.split_once('-')?;
                Some((from.parse().ok()?, to.parse().ok()?))
            }
        }
    }
}

impl Container {
    /// The name for people; a container without one is named by its place.
    pub fn label(&self, index: usize) -> String {
        self.name.text().map_or_else(|| format!("#{index}"), shown)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::document::Document;

    /// `tcp 80-80` for each port; `-` where it is none of the host's, `?` where nobody can tell.
    fn ports(mode: Value, mappings: Value) -> String {
        let task =
            json!({"networkMode": mode, "containerDefinitions": [{"name": "web", "portMappings": mappings}]});
        let task: TaskDefinition = Document::from_value(&task).view().unwrap();
        match task.host_ports() {
            Field::Absent => "-".to_owned(),
            Field::Hidden => "?".to_owned(),
            Field::Known(ports) => {
                let each = ports.iter().map(|one| format!("{} {}-{}", one.protocol, one.from, one.to));
                each.collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn the_network_mode_says_which_ports_are_the_hosts() {
        let hidden = || json!("HIDDEN_DUE_TO_SECURITY_REASONS");
        let picked = "tcp 32768-65535";
        let rows = [
            ("host", json!("host"), json!({"containerPort": 8080}), "tcp 8080-8080"),
            (
                "host, said twice",
                json!("host"),
                json!({"containerPort": 80, "hostPort": 80, "protocol": "udp"}),
                "udp 80-80",
            ),
            ("host, a range", json!("host"), json!({"containerPortRange": "80-90"}), "tcp 80-90"),
            ("host, a range that is none", json!("host"), json!({"containerPortRange": "80-"}), "?"),
            ("host, nothing", json!("host"), json!({"protocol": "tcp"}), "?"),
            ("host, past the last", json!("host"), json!({"containerPort": 70000}), "?"),
            ("bridge", json!("bridge"), json!({"containerPort": 80, "hostPort": 8080}), "tcp 8080-8080"),
            ("bridge, 0", json!("bridge"), json!({"containerPort": 80, "hostPort": 0}), picked),
            ("bridge, absent", json!("bridge"), json!({"containerPort": 80}), picked),
            ("bridge, a range", json!("bridge"), json!({"containerPortRange": "80-90"}), picked),
            ("bridge, hidden", json!("bridge"), json!({"containerPort": 80, "hostPort": hidden()}), "?"),
            ("no mode is bridge", Value::Null, json!({"containerPort": 80, "hostPort": 81}), "tcp 81-81"),
            ("Windows' own", json!("default"), json!({"containerPort": 80}), picked),
            ("awsvpc", json!("awsvpc"), json!({"containerPort": 80}), "-"),
            ("none", json!("none"), json!({"containerPort": 80}), "-"),
            ("a mode of the future", json!("ipvlan"), json!({"containerPort": 80}), "?"),
            ("a hidden mode", hidden(), json!({"containerPort": 80}), "?"),
            (
                "a protocol of the future",
                json!("host"),
                json!({"containerPort": 80, "protocol": "sctp"}),
                "?",
            ),
            ("a hidden protocol", json!("host"), json!({"containerPort": 80, "protocol": hidden()}), "?"),
        ];
        for (name, mode, mapping, expected) in rows {
            assert_eq!(ports(mode, json!([mapping])), expected, "{name}");
        }
        assert_eq!(ports(json!("host"), json!([])), "");
        assert_eq!(ports(json!("host"), hidden()), "?");
    }
}
