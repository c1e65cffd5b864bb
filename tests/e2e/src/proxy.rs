//! The proxy before the emulators: it counts calls, makes faults, and is as strict as AWS where the emulators are not.
//!
//! ```no_run
//! # use shipshape_e2e::proxy::{Fault, Proxy, Rule};
//! # let proxy = Proxy::start().unwrap();
//! // The second write is done, and its answer lost.
//! proxy.add(Rule::on("ecs.Update*").nth(2).after(Fault::Cut));
//! // Whoever describes is slowed down, three times.
//! proxy.add(Rule::on("ecs.Describe*").times(3).before(Fault::error(400, "ThrottlingException")));
//! ```

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::aws::on_moto;
use crate::http::{Reply, Request, Response, Server, client};

mod call;
mod rule;
mod strict;

pub use call::Call;
pub use rule::{Fault, Rule};

use call::Wire;
use rule::When;

/// The proxy. It ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    state: Arc<State>,
    server: Server,
}

#[derive(Debug)]
struct State {
    inner: Mutex<Inner>,
    agent: ureq::Agent,
}

#[derive(Debug, Default)]
struct Inner {
    arrived: u64,
    calls: Vec<Call>,
    rules: Vec<Rule>,
    /// Once they are known.
    behind: Option<Behind>,
}

/// What is behind the proxy.
#[derive(Debug, Clone, Copy)]
pub struct Behind {
    /// Where MiniStack listens.
    pub ministack: SocketAddr,
    /// Where moto listens.
    pub moto: SocketAddr,
    /// Whether ECS is to be as strict as AWS. That takes look-ups with the caller's own headers, which nobody may
    /// verify: where IAM is enforced, it is what the test is about, and the emulator's word is taken.
    pub strict: bool,
}

impl Proxy {
    /// Listens; what it is asked before [`Proxy::route`] it answers with status 503.
    pub fn start() -> Result<Self> {
        let state = Arc::new(State { inner: Mutex::default(), agent: client() });
        let own = Arc::clone(&state);
        let server = Server::start(move |request| own.handle(request))?;
        Ok(Self { state, server })
    }

    /// Says where the emulators are.
    pub fn route(&self, behind: Behind) {
        self.state.lock().behind = Some(behind);
    }

    /// What goes into `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Adds a rule. Where several match a call, their faults come in the order in which they were added, until one ends
    /// the call.
    pub fn add(&self, rule: Rule) {
        self.state.lock().rules.push(rule);
    }

    /// The calls so far, in the order in which they arrived.
    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().calls.clone()
    }

    /// The calls so far that match a pattern, such as `ecs.Update*`.
    pub fn matching(&self, pattern: &str) -> Vec<Call> {
        let inner = self.state.lock();
        inner.calls.iter().filter(|call| rule::matches(pattern, &call.name())).cloned().collect()
    }

    /// Forgets calls and rules.
    pub fn clear(&self) {
        let mut inner = self.state.lock();
        inner.calls.clear();
        inner.rules.clear();
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, request: Request) -> Reply {
        let wire = Wire::of(&request);
        let mut call = Call::of(&request);
        let (behind, faults) = {
            let mut inner = self.lock();
            let name = call.name();
            let faults: Vec<_> = inner.rules.iter_mut().filter_map(|rule| rule.hit(&name)).collect();
            call.number = inner.arrived;
            inner.arrived += 1;
            inner.calls.push(call.clone());
            (inner.behind, faults)
        };
        let strike = |when: When| {
            let mut at = faults.iter().filter(|(of, _)| *of == when);
            at.find_map(|(_, fault)| fault.strike(&call, wire))
        };
        if let Some(end) = strike(When::Before) {
            return self.end(&call, None, end);
        }
        let response = match behind {
            None => wire.error(503, "ServiceUnavailable", "the emulators are not there yet"),
            Some(Behind { ministack, moto, strict }) => {
                let address = if on_moto(&call.service) { moto } else { ministack };
                let forward = |request: &Request| self.forward(address, request);
                let strict = strict && call.service == "ecs" && wire == Wire::Json;
                let passed =
                    if strict { strict::pass(&call, wire, &request, &forward) } else { forward(&request) };
                passed.unwrap_or_else(|error| wire.error(502, "BadGateway", &format!("{error:#}")))
            }
        };
        let heard = response.status;
        let end = strike(When::After).unwrap_or(Some(response));
        self.end(&call, Some(heard), end)
    }

    /// Writes down how a call ended: with an answer, or with none.
    fn end(&self, call: &Call, heard: Option<u16>, response: Option<Response>) -> Reply {
        // The list may have been cleared in between.
        if let Some(kept) = self.lock().calls.iter_mut().find(|kept| kept.number == call.number) {
            kept.heard = heard;
            kept.status = response.as_ref().map(|response| response.status);
            kept.answer = response.as_ref().map(|response| response.body.clone()).unwrap_or_default();
            kept.answered = true;
        }
        response.map_or(Reply::HangUp, Reply::Answer)
    }

    fn forward(&self, address: SocketAddr, request: &Request) -> Result<Response> {
        let mut out = ureq::http::Request::builder()
            .method(request.method.as_str())
            .uri(format!("http://{address}{}", request.path));
        for (name, value) in &request.headers {
            // `Host` stays: it is part of what a signature covers.
            let of_the_connection =
                ["connection", "content-length", "transfer-encoding", "expect", "keep-alive", "te"];
            if !of_the_connection.contains(&name.to_ascii_lowercase().as_str()) {
                out = out.header(name, value);
            }
        }
        let sent = match request.body.is_empty() {
            true => self.agent.run(out.body(())?),
            false => self.agent.run(out.body(request.body.as_slice())?),
        };
        let mut answer = sent.with_context(|| format!("{address} does not answer"))?;
        let headers = answer.headers().iter().filter(|(name, _)| {
            !["connection", "content-length", "transfer-encoding", "date", "server"].contains(&name.as_str())
        });
        let headers = headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let (status, headers) = (answer.status().as_u16(), headers.collect());
        let body = answer.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        Ok(Response { status, headers, body })
    }
}

impl Fault {
    /// Makes the fault. `None` goes on; `Some(None)` is the end without an answer.
    fn strike(&self, call: &Call, wire: Wire) -> Option<Option<Response>> {
        match self {
            Self::Error { status, code, message } => Some(Some(wire.error(*status, code, message))),
            Self::Answer(value) => Some(Some(wire.answer(value))),
            Self::Cut => Some(None),
            Self::Delay(time) => {
                thread::sleep(*time);
                None
            }
            Self::Hook(hook) => {
                hook(call);
                None
            }
        }
    }
}

/// Reads a body as JSON; what is none is null.
fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
