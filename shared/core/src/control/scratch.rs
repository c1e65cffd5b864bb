//! Empty volumes for what a container writes while its root is read-only: where they are missing, and their names.

use crate::control::host_path::walked;
use crate::document::Field;
use crate::resource::TaskDefinition;
use crate::resource::task_definition::Container;

/// A name that no volume has. One for each container and path: what containers kept apart stays apart.
pub(crate) fn volume(task: &TaskDefinition, container: usize, number: usize) -> String {
    let declared = |name: &str| task.volumes.items().iter().any(|one| one.name.text() == Some(name));
    let name = format!("shipshape-scratch-{container}-{number}");
    let free = (1..).map(|next| format!("{name}-{next}")).find(|next| !declared(next));
    if declared(&name) { free.unwrap_or(name) } else { name }
}

/// Where nothing is mounted yet, of the paths that should be, with their places among them; none where what is mounted
/// is not shown.
pub(crate) fn missing<'a>(container: &Container, scratch: &[&'a str]) -> Option<Vec<(usize, &'a str)>> {
    let mut taken = Vec::new();
    let points = container.mount_points.items().iter().map(|point| &point.container_path);
    let memory = container.linux_parameters.known().map(|parameters| &parameters.tmpfs);
    let tmpfs = memory.into_iter().flat_map(Field::items).map(|one| &one.container_path);
    let mut hidden = container.mount_points.is_hidden()
        || container.linux_parameters.is_hidden()
        || memory.is_some_and(Field::is_hidden);
    for path in points.chain(tmpfs) {
        hidden |= path.is_hidden();
        taken.extend(path.text().map(walked));
    }
    if hidden && !scratch.is_empty() {
        return None;
    }
    let mut missing = Vec::new();
    for (number, path) in scratch.iter().enumerate() {
        let steps = walked(path);
        if !taken.contains(&steps) {
            taken.push(steps);
            missing.push((number, *path));
        }
    }
    Some(missing)
}

/// Whether something is mounted where it may write.
pub(crate) fn writes(container: &Container) -> bool {
    let tmpfs = container.linux_parameters.known().is_some_and(|one| !one.tmpfs.items().is_empty());
    let writable = |read_only: &Field<bool>| matches!(read_only, Field::Absent | Field::Known(false));
    tmpfs || container.mount_points.items().iter().any(|point| writable(&point.read_only))
}
