//! Clusters, capacity providers and account settings. Writes UpdateClusterSettings, UpdateCluster,
//! PutAccountSettingDefault and tags.

use shipshape_aws::run::{Function, run};
use shipshape_core::resource::ResourceType;
use shipshape_ecs::Ecs;

/// What this function judges, and may mend.
const CLUSTER: Function = Function {
    name: "cluster",
    owns: &[ResourceType::Cluster, ResourceType::CapacityProvider, ResourceType::AccountSetting],
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    run::<Ecs>(CLUSTER).await
}
