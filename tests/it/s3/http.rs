//! Just enough HTTP to look at an object store by other means than segql's, and to
//! stand between the two.

use std::io::{Read, Write};
use std::net::TcpStream;

/// The head of a message, and its body as far as its length is told.
pub(super) struct Message {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// Reads a request; none when the connection ends before one.
    pub(super) fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = vec![];
        let mut block = [0; 64 << 10];
        let end = loop {
            match stream.read(&mut block) {
                Ok(0) | Err(_) => return None,
                Ok(read) => bytes.extend_from_slice(&block[..read]),
            }
            if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
                break end;
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
        let mut body = bytes[end + 4..].to_vec();
        let length = header(&head, "content-length").map_or(0, |it| it.parse().expect("a length"));
        while body.len() < length {
            match stream.read(&mut block) {
                Ok(0) | Err(_) => return None,
                Ok(read) => body.extend_from_slice(&block[..read]),
            }
        }
        Some(Self { head, body })
    }

    /// `PUT`, `GET`, …
    pub(super) fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    /// What is asked for, without the server's name.
    pub(super) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(value.trim())
}

/// Sends a request on a connection of its own; the answer as it came.
pub(super) fn forward(port: u16, request: &Message) -> Vec<u8> {
    let mut lines = request.head.lines();
    let first = lines.next().unwrap_or_default();
    let others = lines.filter(|line| !line.to_lowercase().starts_with("connection:"));
    let mut head = format!("{first}\r\nConnection: close\r\n");
    for line in others {
        head.push_str(line);
        head.push_str("\r\n");
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.write_all(head.as_bytes()).expect("takes a head");
    stream.write_all(b"\r\n").expect("takes a head");
    stream.write_all(&request.body).expect("takes a body");
    let mut answer = vec![];
    stream.read_to_end(&mut answer).expect("answers");
    answer
}

/// The server wants a signature, and does not look at it.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/s3/\
                      aws4_request, SignedHeaders=host, Signature=none";

/// Asks for something; its body. Fails unless that goes well.
pub(super) fn ask(port: u16, method: &str, target: &str) -> Vec<u8> {
    let head =
        format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n{SIGNED}");
    let request = Message { head, body: vec![] };
    let answer = forward(port, &request);
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n");
    let end = end.expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.split(' ').nth(1).unwrap_or_default();
    assert!(status.starts_with('2'), "{method} {target}: {head}");
    answer[end + 4..].to_vec()
}
