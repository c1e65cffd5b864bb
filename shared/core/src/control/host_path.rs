//! Paths of a container's host: brought into one form, and what a container gets that mounts them.

/// What a path of the host gives to a container that mounts it, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gives {
    /// The host, or what other containers keep secret, even where it is mounted read-only.
    TheHost,
    /// The host, to who may write there.
    TheHostToWriters,
    /// Its own content.
    Itself,
}

/// A socket is as open through a read-only mount, since connecting writes nothing; and what may be read here are
/// other containers' files and variables, and credentials.
const ANYHOW: &[&str] = &[
    "/run/docker.sock",
    "/run/docker",
    "/run/containerd",
    "/run/crio",
    "/run/podman",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/ecs",
    "/etc/ecs",
    "/etc/shadow",
    "/etc/ssh",
    "/root",
    "/pipe/docker_engine",
    "/pipe/containerd-containerd",
    "/c:/programdata/docker",
    "/c:/programdata/amazon/ecs",
];

/// What the host runs, believes and boots. Agents read `/proc`, `/sys` and single files of `/etc`; the ways out of a
/// container through them (a core pattern, a release agent, a cron table) all begin with a write.
const WRITTEN: &[&str] = &[
    "/proc",
    "/sys",
    "/etc",
    "/boot",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/var/spool/cron",
    "/home/ec2-user/.ssh",
    "/c:/windows",
];

/// What a path gives: it counts when it is one of those above, lies in one, or holds one.
pub(crate) fn gives(path: &str) -> Gives {
    let Some(steps) = steps(path) else { return Gives::Itself };
    let meets = |known: &&str| steps.iter().zip(known.split('/').skip(1)).all(|(step, other)| step == other);
    if ANYHOW.iter().any(meets) {
        Gives::TheHost
    } else if WRITTEN.iter().any(meets) {
        Gives::TheHostToWriters
    } else {
        Gives::Itself
    }
}

/// The steps from the root of the host: no empty ones, no `.` and `..`, and past the links that every host has. A
/// relative path has none: Docker takes it for the name of a volume. Windows paths are read in lower case.
fn steps(path: &str) -> Option<Vec<String>> {
    let windows = path.contains('\\') || path.get(1..2) == Some(":");
    if !windows && !path.starts_with('/') {
        return None;
    }
    let path = if windows { path.replace('\\', "/").to_lowercase() } else { path.to_owned() };
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    Some(past_links(&steps).iter().map(|step| (*step).to_owned()).collect())
}

/// `/var/run` is `/run`, and every process has links to the root of its files and to where it works.
fn past_links<'a>(steps: &'a [&'a str]) -> Vec<&'a str> {
    let mut left = steps;
    while let ["proc", _, "root" | "cwd", rest @ ..] | ["proc", _, "task", _, "root" | "cwd", rest @ ..] =
        left
    {
        left = rest;
    }
    match left {
        ["var", "run", rest @ ..] => [&["run"][..], rest].concat(),
        other => other.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gives_what_it_is_lies_in_or_holds() {
        let rows = [
            ("/var/run/docker.sock", Gives::TheHost),
            ("/run/docker.sock", Gives::TheHost),
            ("//var//run/docker.sock", Gives::TheHost),
            ("/./var/run/./docker.sock", Gives::TheHost),
            ("/srv/../var/run/docker.sock", Gives::TheHost),
            ("/../../run/docker.sock/", Gives::TheHost),
            ("/var/run", Gives::TheHost),
            ("/run/", Gives::TheHost),
            ("/var", Gives::TheHost),
            ("/", Gives::TheHost),
            ("//", Gives::TheHost),
            ("/srv/..", Gives::TheHost),
            ("/run/containerd/containerd.sock", Gives::TheHost),
            ("/run/docker/containerd/containerd.sock", Gives::TheHost),
            ("/var/lib/docker/containers", Gives::TheHost),
            ("/var/lib/ecs/data", Gives::TheHost),
            ("/var/lib", Gives::TheHost),
            ("/etc", Gives::TheHost),
            ("/etc/ecs/ecs.config", Gives::TheHost),
            ("/root/.docker", Gives::TheHost),
            ("/proc/1/root/var/run/docker.sock", Gives::TheHost),
            ("/proc/1/root", Gives::TheHost),
            ("/proc/self/task/7/root/proc/1/cwd/etc", Gives::TheHost),
            ("\\\\.\\pipe\\docker_engine", Gives::TheHost),
            ("//./pipe/docker_engine", Gives::TheHost),
            ("C:\\", Gives::TheHost),
            ("C:\\ProgramData\\Docker\\volumes", Gives::TheHost),
            ("c:/ProgramData/Amazon", Gives::TheHost),
            ("/proc", Gives::TheHostToWriters),
            ("/proc/sys/kernel", Gives::TheHostToWriters),
            ("/sys/fs/cgroup/", Gives::TheHostToWriters),
            ("/etc/passwd", Gives::TheHostToWriters),
            ("/etc/cron.d", Gives::TheHostToWriters),
            ("/usr/bin", Gives::TheHostToWriters),
            ("/home/ec2-user", Gives::TheHostToWriters),
            ("/var/spool", Gives::TheHostToWriters),
            ("C:\\Windows\\System32", Gives::TheHostToWriters),
            ("/var/log", Gives::Itself),
            ("/var/run/app", Gives::Itself),
            ("/var/lib/dockerd", Gives::Itself),
            ("/etcetera", Gives::Itself),
            ("/home/ec2-user/app", Gives::Itself),
            ("/srv/proc", Gives::Itself),
            ("/mnt/efs/", Gives::Itself),
            ("D:\\data", Gives::Itself),
            ("C:\\app", Gives::Itself),
            ("etc", Gives::Itself),
            ("docker.sock", Gives::Itself),
            ("", Gives::Itself),
            (":", Gives::Itself),
            ("é:", Gives::Itself),
        ];
        for (path, expected) in rows {
            assert_eq!(gives(path), expected, "{path}");
        }
    }
}
