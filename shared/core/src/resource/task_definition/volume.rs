//! What containers mount, and from where.

use serde::Deserialize;

use crate::document::Field;

/// A mounted volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MountPoint {
    /// The volume's name.
    pub source_volume: Field<String>,
    /// Where it is mounted.
    pub container_path: Field<String>,
    /// Absent means writable.
    pub read_only: Field<bool>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Volume {
    /// Its name within the definition.
    pub name: Field<String>,
    /// Present where it is a path of the host.
    pub host: Field<HostVolume>,
    /// Present where a driver of Docker makes it.
    pub docker_volume_configuration: Field<DockerVolume>,
    /// Present where it is a file system of EFS.
    pub efs_volume_configuration: Field<EfsVolume>,
}

/// A path of the host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HostVolume {
    /// The path; absent means a place that Docker picks.
    pub source_path: Field<String>,
}

/// A volume that a driver of Docker makes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DockerVolume {
    /// What the driver is told.
    pub driver_opts: Field<DriverOptions>,
}

/// What Docker's `local` driver is told. Its options may hold passwords of file servers: nothing of them is kept but the
/// path of a bind mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "ToldOptions")]
pub struct DriverOptions {
    /// The path of the host that is mounted; absent where none is.
    pub bind: Field<String>,
}

/// The options as they stand there, for as long as it takes to read them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ToldOptions {
    /// What is mounted.
    device: Field<String>,
    /// The options of mount(8), by commas; with `bind` the device is a path of the host.
    o: Field<String>,
}

impl From<ToldOptions> for DriverOptions {
    fn from(told: ToldOptions) -> Self {
        let bind = |option: &str| option == "bind" || option == "rbind";
        let bind = match told.o.map(|o| o.split(',').any(bind)) {
            Field::Known(true) => told.device,
            Field::Known(false) | Field::Absent => Field::Absent,
            Field::Hidden => Field::Hidden,
        };
        Self { bind }
    }
}

/// A file system of EFS.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EfsVolume {
    /// `fs-…`
    pub file_system_id: Field<String>,
    /// `ENABLED` or `DISABLED`; absent means `DISABLED`.
    pub transit_encryption: Field<String>,
}

impl Volume {
    /// The path of the host that it is, with the JSON pointer within the volume that says so: a bind mount, also one
    /// that Docker's `local` driver makes. Hidden where any of that is.
    pub fn host_path(&self) -> Field<(&'static str, &str)> {
        let own = self.host.then(|host| host.source_path.then(|path| Field::Known(path.as_str())));
        if !own.is_absent() {
            return own.then(|path| Field::Known(("/host/sourcePath", *path)));
        }
        let options = self.docker_volume_configuration.then(|docker| docker.driver_opts.then(Field::Known));
        options.then(|options| {
            options
                .bind
                .then(|path| Field::Known(("/dockerVolumeConfiguration/driverOpts/device", path.as_str())))
        })
    }
}
