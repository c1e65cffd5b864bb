//! That the server says no.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::{Read, Write};
use std::net::TcpStream;

use shipshape_test_server::signature::{SECRET, hash, sign};
use shipshape_test_server::{Answer, Server};

/// Sends a body, signed, under a head that says how long it is; what the server answers.
fn send(server: &Server, body: &str, length: usize, signed: &str) -> String {
    let (time, scope) = ("20261103T080000Z", "20261103/eu-west-1/ecs/aws4_request");
    let names = "content-length;host;x-amz-date";
    let lines = format!("content-length:{length}\nhost:example\nx-amz-date:{time}\n");
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", hash(signed.as_bytes()));
    let signature = sign(SECRET, time, scope, &canonical);
    let mut connection = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: example\r\nX-Amz-Date: {time}\r\nContent-Length: {length}\r\nAuthorization: \
         AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={signature}\r\n\r\n"
    );
    connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_signed_is_answered_and_nothing_else() {
    let server = Server::start(|request, _| Answer::Told(200, request.body.clone()));
    assert!(send(&server, "{}", 2, "{}").ends_with("\r\n\r\n{}"));
    assert_eq!(server.faults(), [""; 0]);
    let refused = send(&server, "{}", 2, "[]");
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    assert!(server.faults()[0].starts_with("the signature does not match"));
    let refused = send(&server, "{}, and more", 2, "{}");
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    assert_eq!(server.faults(), ["more came than its content-length says"]);
    assert_eq!(server.requests().len(), 3);
}
