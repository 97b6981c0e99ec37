//! A receiver of hooks that now and then fails: it keeps what comes, byte for byte, in the order in which it came.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

/// One message in this many is answered with 500 when it first comes, and one finds its connection closed.
const FAILS_ONE_IN: u64 = 40;

/// A message that came.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its `webhook-id`.
    pub id: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl Message {
    /// What it says.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }
}

/// A receiver on a free port of loopback. It listens as long as the process lives.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    seed: u64,
    came: Mutex<Vec<Message>>,
}

enum Fate {
    Arrives,
    Fails,
    IsCut,
}

impl Receiver {
    /// Starts one; which messages fail is drawn from the seed and their names.
    pub fn start(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let inner = Arc::new(Inner { seed, came: Mutex::default() });
        let kept = Arc::clone(&inner);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let inner = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream, &inner));
            }
        });
        Self { address, inner }
    }

    /// Everything that came, repeats too.
    pub fn came(&self) -> Vec<Message> {
        self.inner.came().clone()
    }

    /// How many messages came, each counted once.
    pub fn count(&self) -> usize {
        self.inner.came().iter().map(|message| &message.id).collect::<BTreeSet<_>>().len()
    }
}

impl Inner {
    fn came(&self) -> MutexGuard<'_, Vec<Message>> {
        self.came.lock().expect("no panic")
    }

    /// Keeps a message. One that fails does so once: after its second failure it would be sent again in minutes.
    fn take(&self, message: Message) -> Fate {
        let mut came = self.came();
        let is_first = came.iter().all(|other| other.id != message.id);
        let mut hasher = DefaultHasher::new();
        (self.seed, &message.id).hash(&mut hasher);
        came.push(message);
        match hasher.finish() % FAILS_ONE_IN {
            0 if is_first => Fate::Fails,
            1 if is_first => Fate::IsCut,
            _ => Fate::Arrives,
        }
    }
}

/// One message after another, until the sender goes or the message's fate cuts it off.
fn serve(stream: TcpStream, inner: &Inner) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut id, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("webhook-id") => id = value.to_owned(),
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
                _ if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        let answer = match inner.take(Message { id, body }) {
            Fate::Arrives => "200 OK",
            Fate::Fails => "500 Internal Server Error",
            Fate::IsCut => return None,
        };
        write!(stream.get_mut(), "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").ok()?;
    }
}
