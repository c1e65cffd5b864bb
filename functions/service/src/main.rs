//! Services, Express services, task sets and launches of tasks. Writes UpdateService and tags.

use shipshape_aws::run::{Function, run};
use shipshape_core::resource::ResourceType;

mod reach;

/// What this function judges, and may mend.
const SERVICE: Function = Function {
    name: "service",
    owns: &[
        ResourceType::Service,
        ResourceType::ExpressGatewayService,
        ResourceType::TaskSet,
        ResourceType::Task,
    ],
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    run::<reach::Reach>(SERVICE).await
}
