//! The end-to-end tests' harness: emulators of AWS, a proxy in front of them that can fail, Lambda's runtime, and the
//! way from a template to a deployed stack.
//!
//! ```text
//! test ──► aws::Aws ─────────────────────────────► MiniStack ◄── deploy (sam)
//!   └────► runtime::Sandbox ──► function ──► proxy ──► MiniStack, moto (EC2, ECR)
//! ```
//! Nothing here knows Shipshape's rules. Everything binds 127.0.0.1, and nothing outlives the tests.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub mod aws;
pub mod deploy;
pub mod emulators;
pub mod events;
pub mod fixtures;
pub mod http;
pub mod proxy;
pub mod runtime;

/// The account that tests run in. To the emulators it is the access key id, too.
pub const ACCOUNT: &str = "111122223333";

/// The Region that tests run in.
pub const REGION: &str = "eu-west-1";

/// How long a test waits for what takes no time: an answer means that it works, not that it is fast.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where cargo builds to, as `setup.py` finds it.
pub fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The interpreter of one of the environments that `setup.py` makes; beside it are the programs.
pub fn python(environment: &str) -> Result<PathBuf> {
    let path = target().join("e2e").join(format!("venv-{environment}")).join("bin/python");
    if !path.exists() {
        bail!("{} is missing: run `make e2e-setup`", path.display());
    }
    Ok(path)
}

/// A new folder for one thing that runs, below `target/e2e/runs`: its output can be read after the test.
pub fn run_folder(name: &str) -> Result<PathBuf> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = target().join("e2e/runs").join(format!("{name}-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.canonicalize()?)
}

/// Asks until there is an answer, or until it took too long.
pub fn until<T>(what: &str, within: Duration, mut probe: impl FnMut() -> Option<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return Ok(answer);
        }
        if started.elapsed() > within {
            bail!("waited {within:?} for {what}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
