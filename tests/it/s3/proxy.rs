//! What stands between segql and the server, and does to requests what networks and
//! administrators do.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::http::{Message, forward};

/// What becomes of a request.
pub(super) enum Fate {
    /// It is answered by the server, after a while.
    Pass(Duration),
    /// It is refused with a status and a code, and does nothing.
    Refuse(u16, &'static str),
    /// It is done, and its answer is lost.
    LoseAnswer,
    /// It is never answered and never done.
    Silence,
}

/// Answered at once.
pub(super) const PASS: Fate = Fate::Pass(Duration::ZERO);

type Rule = Arc<dyn Fn(&Message) -> Fate + Send + Sync>;

/// Listens on a port of its own; the threads end with the process.
pub(super) fn proxy(to: u16, rule: impl Fn(&Message) -> Fate + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let rule: Rule = Arc::new(rule);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let rule = Arc::clone(&rule);
            std::thread::spawn(move || serve(stream, to, &rule));
        }
    });
    port
}

/// One request a connection.
fn serve(mut stream: TcpStream, to: u16, rule: &Rule) {
    let Some(request) = Message::read(&mut stream) else {
        return;
    };
    let answer = match rule(&request) {
        Fate::Pass(after) => {
            std::thread::sleep(after);
            forward(to, &request)
        }
        Fate::Refuse(status, code) => refusal(status, code),
        Fate::LoseAnswer => {
            forward(to, &request);
            return;
        }
        Fate::Silence => {
            std::thread::sleep(Duration::from_secs(600));
            return;
        }
    };
    // Whoever asked may be gone.
    let _ = stream.write_all(&answer);
}

fn refusal(status: u16, code: &str) -> Vec<u8> {
    let body = format!("<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>");
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} Refused\r\nContent-Length: {length}\r\nConnection: close");
    format!("{head}\r\n\r\n{body}").into_bytes()
}
