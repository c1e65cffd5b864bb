//! The emulators: MiniStack for everything it has, moto for EC2 and ECR, the proxy before both.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::aws::Aws;
use crate::http::client;
use crate::proxy::{Behind, Proxy};
use crate::{ACCOUNT, REGION, python, run_folder, until};

/// A machine that also builds starts Python slowly.
const START: Duration = Duration::from_secs(60);

/// An AWS of the test's own. It ends when it is dropped.
#[derive(Debug)]
pub struct Emulators {
    ministack: Process,
    moto: Process,
    proxy: Proxy,
    folder: PathBuf,
}

impl Emulators {
    /// Starts both, and waits until they answer.
    pub fn start() -> Result<Self> {
        Self::with(&[])
    }

    /// The same, with more in MiniStack's environment: `AUTH=true` makes it verify signatures and enforce IAM, and
    /// the proxy no stricter than it is. What is set there is set for the functions that it runs, too.
    pub fn with(environment: &[(&str, &str)]) -> Result<Self> {
        let folder = run_folder("emulators")?;
        let proxy = Proxy::start()?;
        let endpoint = proxy.endpoint();
        let mut settings = vec![
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("MINISTACK_HOST", "127.0.0.1"),
            ("MINISTACK_ACCOUNT_ID", ACCOUNT),
            ("MINISTACK_REGION", REGION),
            // Otherwise it would listen there, on ports that everybody shares.
            ("IOT_MTLS_ENABLED", "0"),
            ("SFTP_ENABLED", "0"),
        ];
        settings.extend_from_slice(environment);
        let ministack = Process::spawn("ministack", &folder, &settings)?;
        let moto = Process::spawn("moto", &folder, &[("MOTO_ACCOUNT_ID", ACCOUNT)])?;
        let (ministack, moto) = (ministack.port()?, moto.port()?);
        ministack.ready("/_ministack/ready")?;
        moto.ready("/moto-api/data.json")?;
        let strict = !environment.contains(&("AUTH", "true"));
        proxy.route(Behind { ministack: ministack.address, moto: moto.address, strict });
        Ok(Self { ministack, moto, proxy, folder })
    }

    /// The proxy: what functions call, and where faults are made.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// A client that goes past the proxy, so that what a test prepares is neither counted nor failed.
    pub fn aws(&self) -> Aws {
        Aws::new(&self.ministack(), &self.moto())
    }

    /// MiniStack's own address, as a URL.
    pub fn ministack(&self) -> String {
        format!("http://{}", self.ministack.address)
    }

    /// moto's own address, as a URL.
    pub fn moto(&self) -> String {
        format!("http://{}", self.moto.address)
    }

    /// Where the output of both is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// MiniStack's output so far: what functions that it ran printed is in it.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("ministack.log")).unwrap_or_default()
    }

    /// Empties both, and forgets the proxy's calls and faults.
    pub fn reset(&self) -> Result<()> {
        for url in
            [format!("{}/_ministack/reset", self.ministack()), format!("{}/moto-api/reset", self.moto())]
        {
            let status = client().post(&url).send_empty().with_context(|| url.clone())?.status();
            ensure!(status.is_success(), "{url}: {status}");
        }
        self.proxy.clear();
        Ok(())
    }

    /// The process groups, for tests that look whether they are gone.
    pub fn process_groups(&self) -> [u32; 2] {
        [self.ministack.child_id(), self.moto.child_id()]
    }
}

/// An emulator in a process group of its own, which ends when its standard input closes: also when this process is
/// killed and drops nothing.
#[derive(Debug)]
struct Process {
    name: &'static str,
    child: Mutex<Child>,
    alive: Option<ChildStdin>,
    address: SocketAddr,
}

/// One that was started and has not said its port yet: the two start at the same time.
struct Starting {
    process: Process,
    port: mpsc::Receiver<String>,
    log: PathBuf,
}

impl Process {
    fn spawn(name: &'static str, folder: &Path, settings: &[(&str, &str)]) -> Result<Starting> {
        let log = folder.join(format!("{name}.log"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("emulators/serve_{name}.py"));
        let mut child = Command::new(python(name)?)
            .arg("-u")
            .arg(script)
            // Functions inherit MiniStack's environment: nothing of the machine's may reach them.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TMPDIR", folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(settings.iter().copied())
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let output = child.stdout.take().context("no standard output")?;
        let (said, port) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            if BufReader::new(output).read_line(&mut line).is_ok() {
                let _ = said.send(line);
            }
        });
        let alive = child.stdin.take();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Ok(Starting { process: Self { name, child: Mutex::new(child), alive, address }, port, log })
    }

    fn ready(&self, path: &str) -> Result<()> {
        let url = format!("http://{}{path}", self.address);
        let client = client();
        until(&format!("{} to be ready", self.name), START, || {
            client.get(&url).call().ok().filter(|answer| answer.status() == 200)
        })?;
        Ok(())
    }

    fn child_id(&self) -> u32 {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).id()
    }
}

impl Starting {
    fn port(mut self) -> Result<Process> {
        let line = self.port.recv_timeout(START).unwrap_or_default();
        let port = line.trim().parse().with_context(|| {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            format!("{} did not start: {log}", self.process.name)
        })?;
        self.process.address.set_port(port);
        Ok(self.process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.alive.take());
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let asked = Instant::now();
        while matches!(child.try_wait(), Ok(None)) {
            if asked.elapsed() > Duration::from_secs(5) {
                let _ = child.kill();
                let _ = child.wait();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}
