//! One TCP connection: frames what is read, writes what is queued, and closes what is slow, half-open or idle.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use sip::{Flow, Frame, Framer};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::places::Place;
use crate::inbox::{Inbox, StreamNews};

/// How long a connection of ours may take to open: less than a transaction's 32 s, so that a target can be tried next.
const OPEN_WITHIN: Duration = Duration::from_secs(8);
/// How long one message may take from its first byte to its last, and how long a fresh peer may say nothing.
const MESSAGE_WITHIN: Duration = Duration::from_secs(30);
/// How long a peer that has spoken may say nothing. Longer than a phone's registration lasts.
const IDLE: Duration = Duration::from_secs(2 * 3_600);
/// How long a peer may not read while something waits for it.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Most bytes read at once.
const READ: usize = 16 * 1024;

/// A connection's name and both ends of its queue.
pub struct Ends {
    /// The connection.
    pub flow: Flow,
    /// For our answers to keep-alives. The book alone holds the queue open.
    pub queue: mpsc::WeakSender<Bytes>,
    /// What is to be written.
    pub waiting: mpsc::Receiver<Bytes>,
}

/// Opens a connection from `local`, then runs it. Whatever happens, its end is told.
pub async fn open(local: IpAddr, ends: Ends, inbox: Inbox, place: Place) {
    let flow = ends.flow;
    match timeout(OPEN_WITHIN, connect(local, flow.remote)).await {
        Ok(Ok(stream)) => drive(stream, ends, IDLE, &inbox).await,
        Ok(Err(error)) => tracing::debug!(%flow, %error, "not connected"),
        Err(_) => tracing::debug!(%flow, "not connected in time"),
    }
    inbox.stream(StreamNews::Lost { flow, ours: true }).await;
    drop(place);
}

/// Runs a connection that a peer has opened, until either side closes it; then tells its end.
pub async fn run(stream: TcpStream, ends: Ends, inbox: Inbox, place: Place) {
    let flow = ends.flow;
    drive(stream, ends, MESSAGE_WITHIN, &inbox).await;
    inbox.stream(StreamNews::Lost { flow, ours: false }).await;
    drop(place);
}

async fn connect(local: IpAddr, remote: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if !local.is_unspecified() {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    socket.connect(remote).await
}

async fn drive(mut stream: TcpStream, ends: Ends, patience: Duration, inbox: &Inbox) {
    let Ends { flow, queue, waiting } = ends;
    // A peer whose machine vanished is noticed within two minutes. Where that is refused, the idle limit remains.
    let keep_alive = TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(20));
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keep_alive.with_retries(3));
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.split();
    let why = tokio::select! {
        why = read(reader, flow, queue, patience, inbox) => why,
        why = write(writer, waiting) => why,
    };
    tracing::debug!(%flow, why, "closed");
}

/// Reads until the end, and says why it ended.
async fn read(
    reader: ReadHalf<'_>,
    flow: Flow,
    queue: mpsc::WeakSender<Bytes>,
    patience: Duration,
    inbox: &Inbox,
) -> &'static str {
    let mut framer = Framer::new();
    let mut deadline = Instant::now() + patience;
    loop {
        match timeout_at(deadline, reader.readable()).await {
            Err(_) => return "the peer was silent or slow for too long",
            Ok(Err(_)) => return "reading failed",
            Ok(Ok(())) => {}
        }
        let was_partial = framer.is_partial();
        match take(&reader, &mut framer) {
            Ok(Some(0)) => return "the peer closed",
            Ok(Some(_)) => {}
            Ok(None) => continue,
            Err(_) => return "reading failed",
        }
        let mut framed = false;
        while let Some(frame) = framer.next() {
            framed = true;
            match frame {
                Ok(Frame::Message(bytes)) => {
                    if !inbox.stream(StreamNews::Message { flow, bytes }).await {
                        return "the server stops";
                    }
                }
                Ok(Frame::Ping) => {
                    // A keep-alive that finds the queue full goes unanswered: the peer does not read anyway.
                    let _ = queue.upgrade().map(|queue| queue.try_send(Bytes::from_static(Frame::PONG)));
                }
                Ok(Frame::Pong) => {}
                Err(_) => return "what the peer sends is no SIP",
            }
        }
        deadline = match framer.is_partial() {
            // One byte now and then does not keep a half message alive.
            true if was_partial && !framed => deadline,
            true => Instant::now() + MESSAGE_WITHIN,
            false => Instant::now() + IDLE,
        };
    }
}

/// Reads what is there, in a buffer that exists only meanwhile: an idle connection holds none.
fn take(reader: &ReadHalf<'_>, framer: &mut Framer) -> std::io::Result<Option<usize>> {
    let mut buffer = [0_u8; READ];
    match reader.try_read(&mut buffer) {
        Ok(length) => {
            framer.push(&buffer[..length]);
            Ok(Some(length))
        }
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes until nobody can queue anything more, and says why it ended.
async fn write(mut writer: WriteHalf<'_>, mut waiting: mpsc::Receiver<Bytes>) -> &'static str {
    while let Some(bytes) = waiting.recv().await {
        match timeout(WRITE_WITHIN, writer.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "writing failed",
            Err(_) => return "the peer does not read",
        }
    }
    "the server closed"
}
