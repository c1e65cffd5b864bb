//! AWS over a socket, for the tests of one adapter: answers each request by a function of it, and remembers them all.
//! What it is sent has to be signed, to the last byte of the body; a test whose requests are not fails at its end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what goes wrong here fails the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub mod signature;

/// What was sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST`, mostly.
    pub method: String,
    /// The path as it was sent.
    pub path: String,
    /// What stood behind its question mark.
    pub query: String,
    /// The headers, by their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: String,
}

impl Request {
    /// A header, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(header, value)| (header == name).then_some(value.as_str()))
    }

    /// The call, of a service that tells it in a header.
    pub fn call(&self) -> &str {
        self.header("x-amz-target").and_then(|target| target.rsplit_once('.')).map_or("", |(_, call)| call)
    }
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status and a body.
    Told(u16, String),
    /// The request was read, and the connection is closed.
    Lost,
}

/// Listens on a free port of this machine until the test ends.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Request>,
    faults: Vec<String>,
}

impl Server {
    /// Starts it. The function also gets to know how many requests came before.
    pub fn start(answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (shared, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (seen, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                std::thread::spawn(move || serve(&connection, &seen, &*answer));
            }
        });
        Self { url, seen }
    }

    /// What was sent so far.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// The calls so far, of a service that tells them in a header.
    pub fn calls(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.call().to_owned()).collect()
    }

    /// What was wrong with requests, from here on forgotten.
    pub fn faults(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap().faults)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let faults = self.faults();
        assert!(faults.is_empty() || std::thread::panicking(), "{}", faults.join("\n"));
    }
}

/// Answers on one connection until the client hangs up.
fn serve(connection: &TcpStream, seen: &Mutex<Seen>, answer: &dyn Fn(&Request, usize) -> Answer) {
    let mut reader = BufReader::new(connection);
    while let Some(request) = read(&mut reader) {
        // Clients of these tests wait for the answer before they send the next request.
        let rest = (!reader.buffer().is_empty()).then(|| "more came than its content-length says".to_owned());
        let fault = rest.or_else(|| signature::fault(&request));
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.requests.push(request.clone());
            seen.faults.extend(fault.clone());
            seen.requests.len() - 1
        };
        let answer = match fault {
            Some(_) => Answer::Told(403, r#"{"__type":"InvalidSignatureException"}"#.to_owned()),
            None => answer(&request, before),
        };
        let Answer::Told(status, body) = answer else { return };
        let head = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut writer = connection;
        if writer.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// `None` where the client has hung up.
fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(&head).unwrap();
    let target = parsed.path.unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let text = |header: &httparse::Header<'_>| {
        (header.name.to_ascii_lowercase(), String::from_utf8(header.value.to_vec()).unwrap())
    };
    let mut request = Request {
        method: parsed.method.unwrap().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: parsed.headers.iter().map(text).collect(),
        body: String::new(),
    };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}
