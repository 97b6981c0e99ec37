//! One connection: frames what is read, writes what is queued, and closes what is slow, half-open or idle.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use sip::{Flow, Frame, Framer};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::places::Place;
use crate::inbox::{Inbox, StreamNews};
use crate::tls::Peers;

/// How long a connection of ours may take to open, keys included: less than a transaction's 32 s, so that a target can be
/// tried next.
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

/// What bytes come and go by: TCP, or TLS on it.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Opens a connection from `local`, over TLS if `peers` are given, then runs it. Whatever happens, its end is told.
pub async fn open(local: IpAddr, peers: Option<Peers>, ends: Ends, inbox: Inbox, mut place: Place) {
    let flow = ends.flow;
    let deadline = Instant::now() + OPEN_WITHIN;
    match timeout_at(deadline, connect(local, flow.remote)).await {
        Ok(Ok(stream)) => match peers {
            None => drive(stream, ends, IDLE, &inbox, &mut place).await,
            Some(peers) => match timeout_at(deadline, peers.greet(stream, flow.remote)).await {
                Ok(Ok(stream)) => drive(stream, ends, IDLE, &inbox, &mut place).await,
                // Most often it is the certificate, which somebody has to look at.
                Ok(Err(error)) => tracing::warn!(%flow, %error, "no TLS"),
                Err(_) => tracing::debug!(%flow, "no TLS in time"),
            },
        },
        Ok(Err(error)) => tracing::debug!(%flow, %error, "not connected"),
        Err(_) => tracing::debug!(%flow, "not connected in time"),
    }
    inbox.stream(StreamNews::Lost { flow, ours: true }).await;
    drop(place);
}

/// Runs a connection that a peer has opened, until either side closes it; then tells its end.
pub async fn run(stream: impl Stream, ends: Ends, inbox: Inbox, mut place: Place) {
    let flow = ends.flow;
    drive(stream, ends, MESSAGE_WITHIN, &inbox, &mut place).await;
    inbox.stream(StreamNews::Lost { flow, ours: false }).await;
    drop(place);
}

/// A peer whose machine vanished is noticed within two minutes. Where that is refused, the idle limit remains.
pub fn prepare(stream: &TcpStream) {
    let keep_alive = TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(20));
    let _ = SockRef::from(stream).set_tcp_keepalive(&keep_alive.with_retries(3));
    let _ = stream.set_nodelay(true);
}

async fn connect(local: IpAddr, remote: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if !local.is_unspecified() {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    let stream = socket.connect(remote).await?;
    prepare(&stream);
    Ok(stream)
}

async fn drive(stream: impl Stream, ends: Ends, patience: Duration, inbox: &Inbox, place: &mut Place) {
    let Ends { flow, queue, waiting } = ends;
    let (reader, writer) = tokio::io::split(stream);
    let why = tokio::select! {
        why = read(reader, flow, queue, patience, inbox, place) => why,
        why = write(writer, waiting) => why,
    };
    tracing::debug!(%flow, why, "closed");
}

/// Reads until the end, and says why it ended.
async fn read(
    mut reader: impl AsyncRead + Unpin,
    flow: Flow,
    queue: mpsc::WeakSender<Bytes>,
    patience: Duration,
    inbox: &Inbox,
    place: &mut Place,
) -> &'static str {
    let mut framer = Framer::new();
    let mut deadline = Instant::now() + patience;
    let mut has_spoken = false;
    loop {
        let was_partial = framer.is_partial();
        match timeout_at(deadline, take(&mut reader, &mut framer)).await {
            Err(_) => return "the peer was silent or slow for too long",
            Ok(Err(_)) => return "reading failed",
            Ok(Ok(0)) => return "the peer closed",
            Ok(Ok(_)) => {}
        }
        let mut framed = false;
        while let Some(frame) = framer.next() {
            framed = true;
            match frame {
                Ok(Frame::Message(bytes)) => {
                    has_spoken = true;
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
        if !place.hold(framer.held()) {
            return "too many peers have said half a message";
        }
        deadline = match framer.is_partial() {
            // One byte now and then does not keep a half message alive.
            true if was_partial && !framed => deadline,
            true => Instant::now() + MESSAGE_WITHIN,
            // Keep-alives alone are not what a connection is kept for.
            false if !has_spoken => deadline,
            false => Instant::now() + IDLE,
        };
    }
}

/// Reads what is there, in a buffer that exists only meanwhile: an idle connection holds none.
async fn take(reader: &mut (impl AsyncRead + Unpin), framer: &mut Framer) -> std::io::Result<usize> {
    poll_fn(|context| {
        let mut space = [MaybeUninit::uninit(); READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut *reader).poll_read(context, &mut buffer))?;
        framer.push(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    })
    .await
}

/// Writes until nobody can queue anything more, and says why it ended.
async fn write(mut writer: impl AsyncWrite + Unpin, mut waiting: mpsc::Receiver<Bytes>) -> &'static str {
    while let Some(bytes) = waiting.recv().await {
        let written = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        match timeout(WRITE_WITHIN, written).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "writing failed",
            Err(_) => return "the peer does not read",
        }
    }
    let _ = timeout(WRITE_WITHIN, writer.shutdown()).await;
    "the server closed"
}
