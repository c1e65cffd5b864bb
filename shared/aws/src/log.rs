//! Lines of JSON on standard output, and what may never be in them.

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, FilterExt, LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// Our own code, which logs no value of a document at any level. Everything else may: the SDKs print whole requests at
/// TRACE, task definitions with their environment among them, and the runtime prints the events.
const OURS: &str = "shipshape";

/// Starts logging. `RUST_LOG` chooses the level, `info` where it says nothing; no library says more than `info`,
/// whatever it asks for.
pub fn start() {
    let wanted = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(true);
    // A second start, as in tests, changes nothing.
    let _ = Registry::default().with(lines.with_filter(wanted.and(cap()))).try_init();
}

fn cap() -> Targets {
    Targets::new().with_default(Level::INFO).with_target(OURS, Level::TRACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_library_says_more_than_info() {
        let cap = cap();
        for target in [
            "aws_smithy_runtime::client::orchestrator",
            "aws_sdk_ecs",
            "hyper_util::client",
            "lambda_runtime",
            "a_library_of_tomorrow",
        ] {
            assert!(cap.would_enable(target, &Level::INFO), "{target}");
            assert!(!cap.would_enable(target, &Level::DEBUG), "{target}");
        }
        assert!(cap.would_enable("shipshape_aws::ledger", &Level::TRACE));
    }
}
