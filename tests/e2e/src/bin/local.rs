//! A local AWS to try things on: the emulators, the stack as it ships, and a cluster that violates something.

use std::io::{Read, Write, stdin, stdout};

use anyhow::Result;
use shipshape_e2e::deploy::{Plan, deploy};
use shipshape_e2e::emulators::Emulators;
use shipshape_e2e::{ACCOUNT, REGION, fixtures};

/// Mode fix for everything, in this account that nobody's work lives in.
const POLICY: &str = "version = 1\nmode = \"fix\"\ndisruptive = true\n";

fn main() -> Result<()> {
    let emulators = Emulators::start()?;
    let mut plan = Plan::new("shipshape");
    plan.parameters = vec![("DryRun".to_owned(), "false".to_owned())];
    plan.seconds = Some((20, 12));
    let stack = deploy(&emulators, &plan)?;
    let aws = emulators.aws();
    fixtures::parameter(&aws, "/shipshape/policy", POLICY)?;
    fixtures::cluster(&aws, "shop", "disabled")?;
    let told = fixtures::listener(&aws, stack.output("Topic")?, "people")?;
    let lines = [
        format!("export AWS_ENDPOINT_URL={}", emulators.proxy().endpoint()),
        format!("export AWS_ACCESS_KEY_ID={ACCOUNT} AWS_SECRET_ACCESS_KEY=test"),
        format!("export AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}"),
        format!("export SHIPSHAPE_TABLE={} SHIPSHAPE_DRY_RUN=false", stack.output("Table")?),
        format!("export SHIPSHAPE_TOPIC={}", stack.output("Topic")?),
        format!("export SHIPSHAPE_TASK_DEFINITION_QUEUE={}", stack.output("TaskDefinitionQueue")?),
        format!("# the topic's messages arrive in {told}"),
        "# It runs until this program's input ends: Ctrl-D or Ctrl-C.".to_owned(),
    ];
    writeln!(stdout(), "{}", lines.join("\n"))?;
    stdout().flush()?;
    let _ = stdin().read(&mut [0]);
    Ok(())
}
