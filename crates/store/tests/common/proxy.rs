//! What stands between a store and its server, and may fail in every way that a network does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What stands between a store and its server.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The server's answers are dropped.
    mute: AtomicBool,
    /// Nobody is let in.
    shut: AtomicBool,
    /// Changes when all connections are to end.
    cut: watch::Sender<()>,
}

impl Proxy {
    /// Leads to the server of this address.
    pub async fn start(url: &str) -> (Self, String) {
        let (before, after) = url.split_once("127.0.0.1:").expect("a server of the tests");
        let (to, name) = after.split_once('/').expect("a database");
        let to: u16 = to.parse().expect("a port");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let state = Arc::new(State::default());
        tokio::spawn(accept(listener, to, state.clone()));
        (Self { port, state }, format!("{before}127.0.0.1:{port}/{name}"))
    }

    /// From now on the server hears everything and is not heard.
    pub fn mute(&self) {
        self.state.mute.store(true, Ordering::SeqCst);
    }

    /// Ends all connections; who comes afterwards is heard again.
    pub fn cut(&self) {
        self.state.mute.store(false, Ordering::SeqCst);
        self.state.cut.send_replace(());
    }

    /// Ends all connections and lets nobody in.
    pub fn shut(&self) {
        self.state.shut.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Lets people in again.
    pub fn open(&self) {
        self.state.shut.store(false, Ordering::SeqCst);
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

async fn accept(listener: TcpListener, to: u16, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        if state.shut.load(Ordering::SeqCst) {
            continue;
        }
        let mut cut = state.cut.subscribe();
        let state = state.clone();
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
            tokio::select! {
                () = carry(client, server, &state) => {}
                _ = cut.changed() => {}
            }
        });
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, state: &State) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let answers = async {
        let mut bytes = vec![0; 16_384];
        while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
            if !state.mute.load(Ordering::SeqCst) && to_client.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = answers => {}
    }
}
