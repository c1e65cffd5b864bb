//! Task definitions. Writes RegisterTaskDefinition and tags, and alone may pass roles.

use shipshape_aws::run::{Function, run};
use shipshape_core::resource::ResourceType;
use shipshape_ecs::Ecs;

/// What this function judges, and may mend.
const TASK_DEFINITION: Function = Function {
    name: "task-definition",
    owns: &[ResourceType::TaskDefinition, ResourceType::DaemonTaskDefinition],
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    run::<Ecs>(TASK_DEFINITION).await
}
