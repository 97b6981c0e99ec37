//! A carrier's registrar on a real socket: challenges, grants, and remembers what was asked.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use sip::digest::{Algorithm, Challenge, ha1, is_right};
use sip::{Framing, HeaderName, Message, Method, Request, Response};

/// A registrar that knows one account: `demo`, with the password `made-up`.
pub struct Registrar {
    /// Where it is.
    pub address: SocketAddr,
    granted: Arc<Mutex<Vec<Granted>>>,
    over: Arc<Mutex<bool>>,
    thread: Option<JoinHandle<()>>,
}

/// A REGISTER that was granted.
#[derive(Clone, Debug)]
pub struct Granted {
    /// For so many seconds.
    pub seconds: u32,
    /// The Contact.
    pub contact: String,
}

impl Registrar {
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("set");
        let address = socket.local_addr().expect("an address");
        let (granted, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(false)));
        let (theirs, stop) = (granted.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while !*stop.lock().expect("nothing panics with it") {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let packet = Bytes::copy_from_slice(&buffer[..length]);
                let Ok(Message::Request(request)) = sip::parse(packet, Framing::Datagram) else { continue };
                let response = answer(&request, &theirs);
                socket.send_to(&response.print(), from).expect("sent");
            }
        });
        Self { address, granted, over, thread: Some(thread) }
    }

    /// What it has granted, in order.
    pub fn granted(&self) -> Vec<Granted> {
        self.granted.lock().expect("nothing panics with it").clone()
    }
}

impl Drop for Registrar {
    fn drop(&mut self) {
        *self.over.lock().expect("nothing panics with it") = true;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(request: &Request, granted: &Mutex<Vec<Granted>>) -> Response {
    if request.method != Method::Register {
        return request.response(200);
    }
    let secret = ha1(&Algorithm::Md5, b"demo", b"carrier.test", b"made-up").expect("MD5 is known");
    let credentials = request.headers.credentials().unwrap_or_default();
    if !credentials.iter().any(|one| is_right(&secret, one, &Method::Register)) {
        let challenge = Challenge::new("carrier.test", "a-nonce", Algorithm::Md5);
        return request.response(401).with(HeaderName::WwwAuthenticate, &challenge);
    }
    let seconds = request.headers.expires().ok().flatten().unwrap_or_default();
    let contact = request.headers.contact().expect("a Contact");
    let mut granted = granted.lock().expect("nothing panics with it");
    granted.push(Granted { seconds, contact: contact.uri.to_string() });
    let response = request.response(200);
    if seconds == 0 { response } else { response.with(HeaderName::Contact, contact.with_param("expires", "60")) }
}
