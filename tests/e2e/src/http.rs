//! An HTTP/1.1 server of a thread a connection: what the proxy and the runtime API listen with. A handler may block,
//! and may hang up instead of answering, which is what servers for production do not offer. And the client's settings.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A request, read to its end.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query, as they were sent.
    pub path: String,
    /// In the order in which they came.
    pub headers: Vec<(String, String)>,
    /// Without its chunks' lengths, if it came in chunks.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// An answer; its length is added on the way out.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// All but the length and what belongs to the connection.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer of that content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.into())], body: body.into() }
    }
}

/// What a handler does with a request.
#[derive(Debug)]
pub enum Reply {
    /// Answer it.
    Answer(Response),
    /// Cut the connection.
    HangUp,
}

/// A server that ends when it is dropped, with each of its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    connections: Arc<Mutex<BTreeMap<u64, TcpStream>>>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub fn start(handler: impl Fn(Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let connections: Arc<Mutex<BTreeMap<u64, TcpStream>>> = Arc::default();
        let (stop, open, handler) = (Arc::clone(&stopped), Arc::clone(&connections), Arc::new(handler));
        thread::spawn(move || {
            for (number, stream) in (0..).zip(listener.incoming()) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok((stream, copy)) = stream.and_then(|stream| Ok((stream.try_clone()?, stream))) else {
                    continue;
                };
                locked(&open).insert(number, copy);
                let (open, handler) = (Arc::clone(&open), Arc::clone(&handler));
                thread::spawn(move || {
                    // A peer that goes away is the peer's affair.
                    let _ = converse(&stream, handler.as_ref());
                    locked(&open).remove(&number);
                });
            }
        });
        Ok(Self { address, stopped, connections })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, so that it sees the flag.
        let _ = TcpStream::connect(self.address);
        for stream in locked(&self.connections).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client to whom every status is an answer, and which does not wait for ever.
pub fn client() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
    let config = config.timeout_global(Some(Duration::from_secs(60))).allow_non_standard_methods(true);
    config.user_agent("").accept("").build().into()
}

/// One request after the other, until one side has enough.
fn converse(mut stream: &TcpStream, handler: &impl Fn(Request) -> Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::new();
    while let Some((mut request, lengths)) = head(&mut stream, &mut read)? {
        request.body = match lengths {
            Lengths::Whole(length) => take(&mut stream, &mut read, length)?,
            Lengths::Chunks => chunks(&mut stream, &mut read)?,
        };
        let head_only = request.method == "HEAD";
        let Reply::Answer(response) = handler(request) else { return Ok(()) };
        let mut out =
            format!("HTTP/1.1 {} -\r\ncontent-length: {}\r\n", response.status, response.body.len());
        for (name, value) in &response.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        if !head_only {
            out.extend_from_slice(&response.body);
        }
        stream.write_all(&out)?;
    }
    Ok(())
}

enum Lengths {
    Whole(usize),
    Chunks,
}

/// The request's head; `None` when the peer has nothing more to ask.
fn head(stream: &mut impl Read, read: &mut Vec<u8>) -> io::Result<Option<(Request, Lengths)>> {
    loop {
        let mut slots = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut slots);
        if let httparse::Status::Complete(end) = parsed.parse(read).map_err(io::Error::other)? {
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let headers = parsed.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect();
            let request = Request {
                method: parsed.method.unwrap_or_default().to_owned(),
                path: parsed.path.unwrap_or_default().to_owned(),
                headers,
                body: Vec::new(),
            };
            read.drain(..end);
            let chunked = request.header("transfer-encoding").is_some_and(|how| how.contains("chunked"));
            let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            return Ok(Some((request, if chunked { Lengths::Chunks } else { Lengths::Whole(length) })));
        }
        if !more(stream, read)? {
            return Ok(None);
        }
    }
}

fn more(stream: &mut impl Read, read: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = [0; 16 * 1024];
    let length = stream.read(&mut buffer)?;
    read.extend_from_slice(buffer.get(..length).unwrap_or_default());
    Ok(length > 0)
}

fn take(stream: &mut impl Read, read: &mut Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    while read.len() < length {
        if !more(stream, read)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(read.drain(..length).collect())
}

fn chunks(stream: &mut impl Read, read: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(read) {
            Ok(httparse::Status::Complete((end, length))) => {
                read.drain(..end);
                let length = usize::try_from(length).map_err(io::Error::other)?;
                // After the last chunk comes an empty line too: nobody here sends trailers.
                let mut chunk = take(stream, read, length + 2)?;
                chunk.truncate(length);
                if length == 0 {
                    return Ok(body);
                }
                body.append(&mut chunk);
            }
            Ok(httparse::Status::Partial) => {
                if !more(stream, read)? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Err(_) => return Err(io::Error::other("a chunk without a length")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_connection_takes_whole_bodies_and_chunks() {
        let server = Server::start(|request| {
            if request.path == "/cut" {
                return Reply::HangUp;
            }
            let said = [request.path.as_bytes(), b" ", request.body.as_slice()].concat();
            Reply::Answer(Response::new(200, "text/plain", said))
        });
        let server = server.unwrap();
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let sent = "POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\none\
            POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmore\r\nA;x=y\r\n than this\r\n0\r\n\r\n\
            HEAD /c HTTP/1.1\r\n\r\n\
            GET /cut HTTP/1.1\r\n\r\n";
        // In two writes, so that a chunk's length is not there at once.
        for half in [sent.split_at(90).0, sent.split_at(90).1] {
            stream.write_all(half.as_bytes()).unwrap();
        }
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        let answer = |length: usize, body: &str| {
            format!("HTTP/1.1 200 -\r\ncontent-length: {length}\r\ncontent-type: text/plain\r\n\r\n{body}")
        };
        let expected = [answer(6, "/a one"), answer(17, "/b more than this"), answer(3, "")];
        assert_eq!(heard, expected.concat());
    }
}
