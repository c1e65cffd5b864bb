//! How ECS Exec is configured in a cluster.

use super::{Compliance, Context};
use crate::document::Field;
use crate::facts::Need;
use crate::resource::Cluster;
use crate::resource::cluster::ExecuteCommandConfiguration;

/// Where a cluster says it.
pub(crate) const EXEC: &str = "/configuration/executeCommandConfiguration";

/// The configuration of ECS Exec, or none where the cluster has none; else the answer of a control that has to know it.
///
/// `DescribeClusters` shows `configuration` only where it was asked for, and nothing in its answer tells whether it
/// was: a cluster without it may have one. The answer to `CreateCluster` shows all that there is. Answers that are
/// too old to show settings are too old for this, too.
pub(crate) fn configured<'a>(
    cluster: &'a Cluster,
    context: &Context<'_>,
) -> Result<Option<&'a ExecuteCommandConfiguration>, Compliance> {
    if cluster.gone() {
        return Err(Compliance::NotApplicable("the cluster is gone, or going"));
    }
    let unknown = |path: &str| Err(Compliance::Unknown(vec![Need::Member(path.to_owned())]));
    match &cluster.configuration {
        Field::Absent if context.resource.whole && !cluster.settings.items().is_empty() => Ok(None),
        Field::Absent | Field::Hidden => unknown("/configuration"),
        Field::Known(configuration) => match &configuration.execute_command_configuration {
            Field::Absent => Ok(None),
            Field::Hidden => unknown(EXEC),
            Field::Known(exec) => Ok(Some(exec)),
        },
    }
}
