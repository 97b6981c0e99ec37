//! HTTP listeners: accept, bound, time out, and end in order. What is served is `api`'s.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tower::{Layer, ServiceExt};
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};

/// Connections at once on all listeners; further ones wait to be accepted.
const CONNECTIONS: usize = 16_384;
/// How long a client may take to send the head of a request, and how long it may keep an idle connection.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// How long a client may take to agree on keys.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long accepting rests when the machine is out of something.
const REST: Duration = Duration::from_millis(100);

type App = NormalizePath<Router>;

/// Running listeners.
pub struct Http {
    stop: watch::Sender<bool>,
    tasks: TaskTracker,
}

impl Http {
    /// Serves `router` on every listener, over TLS where it has somebody who speaks that. A slash at the end of a path does
    /// not count.
    pub fn start(listeners: Vec<(std::net::TcpListener, Option<TlsAcceptor>)>, router: Router) -> io::Result<Self> {
        let app = NormalizePathLayer::trim_trailing_slash().layer(router);
        let (stop, stopping) = watch::channel(false);
        let tasks = TaskTracker::new();
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        for (listener, tls) in listeners {
            listener.set_nonblocking(true)?;
            let door = Door { listener: TcpListener::from_std(listener)?, tls };
            tasks.spawn(accept(door, app.clone(), room.clone(), tasks.clone(), stopping.clone()));
        }
        Ok(Self { stop, tasks })
    }

    /// Takes no further connections, lets requests under way finish, and returns when all are done or `within` is over.
    pub async fn stop(self, within: Duration) {
        self.stop.send_replace(true);
        self.tasks.close();
        if tokio::time::timeout(within, self.tasks.wait()).await.is_err() {
            tracing::debug!(connections = self.tasks.len(), "HTTP connections are cut");
        }
    }
}

/// Where connections come in.
struct Door {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

async fn accept(door: Door, app: App, room: Arc<Semaphore>, tasks: TaskTracker, mut stopping: watch::Receiver<bool>) {
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = door.listener.accept() => accepted,
            () = stopped(&mut stopping) => return,
        };
        match accepted {
            Ok((stream, remote)) => {
                let (app, stopping, tls) = (app.clone(), stopping.clone(), door.tls.clone());
                tasks.spawn(async move {
                    take_in(stream, remote, tls, app, stopping).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accepting HTTP");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn take_in(
    stream: TcpStream,
    remote: SocketAddr,
    tls: Option<TlsAcceptor>,
    app: App,
    stopping: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return serve(stream, remote, Scheme::Http, app, stopping).await };
    // Boxed: what a handshake takes is given back after it, and there are many connections.
    match timeout(HANDSHAKE_WITHIN, Box::pin(tls.accept(stream))).await {
        Ok(Ok(stream)) => serve(Box::new(stream), remote, Scheme::Https, app, stopping).await,
        Ok(Err(error)) => tracing::debug!(%remote, %error, "no TLS"),
        Err(_) => tracing::debug!(%remote, "no TLS in time"),
    }
}

/// How a request came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    remote: SocketAddr,
    scheme: Scheme,
    app: App,
    mut stopping: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(remote));
        // Links are made for the scheme that the client asked by.
        if scheme == Scheme::Https {
            request.extensions_mut().insert(api::OverTls);
        }
        app.clone().oneshot(request.map(axum::body::Body::new))
    });
    let mut connection = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%remote, %error, "an HTTP connection ended");
    }
}

/// Returns when there is to be an end.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // That nobody can say so any more means the same.
    let _ = stopping.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use axum::routing::get;

    use super::*;

    async fn ask(address: SocketAddr, path: &'static str) -> String {
        let asked = move || {
            let mut stream = std::net::TcpStream::connect(address)?;
            write!(stream, "GET {path} HTTP/1.1\r\nHost: pbx.example.test\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            io::Result::Ok(answer)
        };
        tokio::task::spawn_blocking(asked).await.expect("a thread").expect("an answer")
    }

    fn listener() -> (std::net::TcpListener, SocketAddr) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("bound");
        (listener, address)
    }

    #[tokio::test]
    async fn a_slash_at_the_end_does_not_count_and_the_peer_is_known() {
        let (listener, address) = listener();
        let router = Router::new()
            .route("/who", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }));
        let http = Http::start(vec![(listener, None)], router).expect("started");

        for path in ["/who", "/who/"] {
            let answer = ask(address, path).await;

            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
        }
        http.stop(Duration::from_secs(5)).await;
    }

    #[tokio::test]
    async fn a_request_under_way_is_finished_before_the_end() {
        let (listener, address) = listener();
        let (arrived, here) = tokio::sync::oneshot::channel::<()>();
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let once = Arc::new(tokio::sync::Mutex::new(Some((arrived, gone))));
        let slow = move || async move {
            let (arrived, gone) = once.lock().await.take().expect("asked once");
            arrived.send(()).expect("somebody waits");
            gone.await.expect("told to go on");
            "done"
        };
        let http = Http::start(vec![(listener, None)], Router::new().route("/slow", get(slow))).expect("started");
        let answer = tokio::spawn(ask(address, "/slow"));
        here.await.expect("arrived");

        let stopped = tokio::spawn(http.stop(Duration::from_secs(5)));
        go.send(()).expect("somebody waits");

        assert!(answer.await.expect("asked").ends_with("done"));
        stopped.await.expect("stopped");
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
