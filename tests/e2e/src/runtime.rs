//! Lambda's side of the runtime API: runs a function's binary, hands it payloads, and says what became of each.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::http::{Reply, Request, Response, Server};
use crate::{ACCOUNT, REGION};

/// How long a process may take until it asks for its first payload.
const START: Duration = Duration::from_secs(30);
/// How many invocations there have been.
static INVOCATIONS: AtomicU64 = AtomicU64::new(1);

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name in Lambda.
    pub name: String,
    /// The program.
    pub binary: PathBuf,
    /// Its environment, besides what Lambda sets. Nothing is inherited.
    pub environment: BTreeMap<String, String>,
    /// After that long an invocation is ended, and the process with it.
    pub timeout: Duration,
}

impl Function {
    /// A function that calls AWS at that endpoint, as the tests' account.
    pub fn new(name: &str, binary: impl AsRef<Path>, endpoint: &str) -> Self {
        let environment = [
            ("AWS_ACCESS_KEY_ID", ACCOUNT),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ENDPOINT_URL", endpoint),
        ];
        Self {
            name: name.to_owned(),
            binary: binary.as_ref().to_owned(),
            environment: environment.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            timeout: Duration::from_secs(60),
        }
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.environment.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Sets its timeout.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

/// What became of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The function answered.
    Answered(Value),
    /// The function told an error, of this invocation or of its start.
    Failed(Value),
    /// The process ended first: with a status, or by a signal.
    Exited {
        /// Its exit status.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
    },
    /// It took longer than the timeout, and was killed.
    TimedOut,
}

/// One execution environment: a process that takes one payload after the other. It is killed when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    function: Function,
    /// One invocation at a time, as in Lambda.
    run: Mutex<Run>,
    process: Process,
    logs: Arc<Mutex<String>>,
}

/// A handle that kills the process which a sandbox runs at that moment: for a fault's hook.
#[derive(Debug, Clone)]
pub struct Process(Arc<Mutex<Child>>);

/// One life of the process, with a runtime API of its own: an orphaned request of its predecessor can't take a payload.
#[derive(Debug)]
struct Run {
    payloads: mpsc::Sender<Invocation>,
    told: mpsc::Receiver<Told>,
    readers: Vec<thread::JoinHandle<()>>,
    _server: Server,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    payload: String,
    headers: Vec<(String, String)>,
    timeout: Duration,
}

/// What the process did: of which invocation.
#[derive(Debug)]
enum Told {
    /// It took the payload. Lambda's clock runs from then on: starting is not part of an invocation.
    Taken(String),
    /// It is done. What goes wrong at the start belongs to no invocation.
    Ended(Option<String>, Ending),
}

impl Sandbox {
    /// Starts the process.
    pub fn start(function: Function) -> Result<Self> {
        let logs = Arc::default();
        let (run, child) = Run::start(&function, &logs)?;
        let process = Process(Arc::new(Mutex::new(child)));
        Ok(Self { function, run: Mutex::new(run), process, logs })
    }

    /// Hands over a payload, and waits for what becomes of it.
    pub fn invoke(&self, payload: &Value) -> Result<Ending> {
        let run = locked(&self.run);
        let id = {
            // No two invocations have one id, whichever sandbox has them.
            let number = INVOCATIONS.fetch_add(1, Ordering::Relaxed);
            format!("00000000-0000-4000-8000-{number:012}")
        };
        let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", self.function.name);
        let headers = [
            ("Lambda-Runtime-Aws-Request-Id", id.clone()),
            ("Lambda-Runtime-Invoked-Function-Arn", arn),
            ("Lambda-Runtime-Trace-Id", "Root=1-5e1b4151-5ac6c58b1f8d1b3d0a7b6b2a;Sampled=0".to_owned()),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
        let (payload, timeout) = (payload.to_string(), self.function.timeout);
        // Of a process that has ended the sentence below tells.
        let _ = run.payloads.send(Invocation { id: id.clone(), payload, headers, timeout });
        let mut deadline = Instant::now() + START;
        let mut ended = None;
        loop {
            match run.told.recv_timeout(Duration::from_millis(5)) {
                Ok(Told::Taken(of)) if of == id => deadline = Instant::now() + timeout,
                Ok(Told::Ended(of, ending)) if of.as_ref().is_none_or(|of| *of == id) => return Ok(ending),
                Ok(_) => {}
                // What it told last may come after its end was seen, and is looked for once more.
                Err(_) => match (ended, self.process.status()?) {
                    (Some(status), _) => return Ok(exited(status)),
                    (None, Some(status)) => ended = Some(status),
                    (None, None) if Instant::now() > deadline => {
                        self.kill()?;
                        return Ok(Ending::TimedOut);
                    }
                    (None, None) => {}
                },
            }
        }
    }

    /// Starts the process anew, killing the one before.
    pub fn respawn(&self) -> Result<()> {
        let mut run = locked(&self.run);
        self.kill()?;
        run.read_out();
        let (fresh, child) = Run::start(&self.function, &self.logs)?;
        *locked(&self.process.0) = child;
        *run = fresh;
        Ok(())
    }

    /// Kills the process as the system does when memory runs out: with SIGKILL.
    pub fn kill(&self) -> Result<()> {
        self.process.kill()
    }

    /// A handle on the process, for hooks.
    pub fn process(&self) -> Process {
        self.process.clone()
    }

    /// What it printed so far, on both outputs, in all its lives. Of a process that runs the newest lines may be still
    /// to come; of one that has ended, or was killed, it is everything.
    pub fn logs(&self) -> String {
        if matches!(self.process.status(), Ok(Some(_))) {
            locked(&self.run).read_out();
        }
        locked(&self.logs).clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // One that cannot be killed has ended.
        let _ = self.kill();
    }
}

impl Process {
    /// Kills it, and waits until it has ended.
    pub fn kill(&self) -> Result<()> {
        let mut child = locked(&self.0);
        child.kill().context("cannot kill the function")?;
        child.wait()?;
        Ok(())
    }

    /// How it ended, if it has.
    fn status(&self) -> Result<Option<ExitStatus>> {
        Ok(locked(&self.0).try_wait()?)
    }
}

impl Run {
    /// Waits for the outputs' ends, once the process has ended.
    fn read_out(&mut self) {
        for reader in self.readers.drain(..) {
            // A reader that panicked has nothing to add.
            let _ = reader.join();
        }
    }

    fn start(function: &Function, logs: &Arc<Mutex<String>>) -> Result<(Self, Child)> {
        let (payloads, waiting) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let waiting = Mutex::new(waiting);
        let server = Server::start(move |request| answer(&request, &waiting, &tell))?;
        let mut child = Command::new(&function.binary)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "en_US.UTF-8")
            .env("TZ", ":UTC")
            .env("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023")
            .env("AWS_LAMBDA_RUNTIME_API", server.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("_HANDLER", "bootstrap")
            .env("LAMBDA_TASK_ROOT", function.binary.parent().unwrap_or(Path::new("/")))
            .envs(&function.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", function.binary.display()))?;
        let mut readers = Vec::new();
        if let Some(output) = child.stdout.take() {
            readers.push(collect(output, logs));
        }
        if let Some(output) = child.stderr.take() {
            readers.push(collect(output, logs));
        }
        Ok((Self { payloads, told, readers, _server: server }, child))
    }
}

/// The runtime API.
fn answer(
    request: &Request,
    waiting: &Mutex<mpsc::Receiver<Invocation>>,
    tell: &mpsc::Sender<Told>,
) -> Reply {
    let Some(path) = request.path.strip_prefix("/2018-06-01/runtime/") else {
        return Reply::Answer(Response::new(404, "application/json", "{}"));
    };
    if (request.method.as_str(), path) == ("GET", "invocation/next") {
        // Ends when the sandbox drops its end: nobody waits for that answer then.
        let Ok(taken) = locked(waiting).recv() else { return Reply::HangUp };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let deadline = (now + taken.timeout).as_millis().to_string();
        let mut response = Response::new(200, "application/json", taken.payload);
        response.headers.extend(taken.headers);
        response.headers.push(("Lambda-Runtime-Deadline-Ms".to_owned(), deadline));
        let _ = tell.send(Told::Taken(taken.id));
        return Reply::Answer(response);
    }
    let body = serde_json::from_slice(&request.body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&request.body).into_owned()));
    let (id, ending) = match path.split('/').collect::<Vec<_>>()[..] {
        ["invocation", id, "response"] => (Some(id.to_owned()), Ending::Answered(body)),
        ["invocation", id, "error"] => (Some(id.to_owned()), Ending::Failed(body)),
        ["init", "error"] => (None, Ending::Failed(body)),
        _ => return Reply::Answer(Response::new(404, "application/json", "{}")),
    };
    // Nobody listens any more to a process that is being replaced.
    let _ = tell.send(Told::Ended(id, ending));
    Reply::Answer(Response::new(202, "application/json", r#"{"status":"OK"}"#))
}

/// Copies an output into the logs, line by line.
fn collect(output: impl Read + Send + 'static, logs: &Arc<Mutex<String>>) -> thread::JoinHandle<()> {
    let logs = Arc::clone(logs);
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            locked(&logs).push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

fn exited(status: ExitStatus) -> Ending {
    Ending::Exited { code: status.code(), signal: status.signal() }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts that many sandboxes of a function.
pub fn copies(function: &Function, number: usize) -> Result<Vec<Sandbox>> {
    (0..number).map(|_| Sandbox::start(function.clone())).collect()
}

/// Hands the same payload to all of them at the same time.
pub fn at_once(sandboxes: &[Sandbox], payload: &Value) -> Result<Vec<Ending>> {
    thread::scope(|scope| {
        let running: Vec<_> =
            sandboxes.iter().map(|sandbox| scope.spawn(move || sandbox.invoke(payload))).collect();
        running
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
