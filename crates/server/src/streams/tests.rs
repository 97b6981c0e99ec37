use std::time::Duration;

use mio::{Poll, Token, Waker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::inbox::{StreamNews, Waiting};
use crate::tls::Trust;

pub(super) struct Desk {
    pub streams: Streams,
    waiting: Waiting,
    inbox: Inbox,
    places: Places,
    numbers: Numbers,
}

fn desk() -> Desk {
    desk_that_trusts(&Trust::default())
}

/// A desk with its own idea of whose certificates are worth something.
pub(super) fn desk_that_trusts(trust: &Trust) -> Desk {
    let poll = Poll::new().expect("a poll");
    let (inbox, waiting) = Inbox::new(Waker::new(poll.registry(), Token(0)).expect("a waker"));
    let (numbers, places) = (Numbers::default(), Places::new(&[]));
    let peers = Peers::new(trust, None).expect("peers");
    let local = vec![([127, 0, 0, 1], 5060).into()];
    let streams =
        Streams::new(Handle::current(), inbox.clone(), numbers.clone(), places.clone(), local, peers, &[7; 32]);
    Desk { streams, waiting, inbox, places, numbers }
}

impl Desk {
    /// The next thing that a connection tells.
    pub(super) async fn news(&mut self) -> StreamNews {
        tokio::time::timeout(Duration::from_secs(10), self.waiting.streams.recv())
            .await
            .expect("in time")
            .expect("news")
    }

    /// Whether nothing was told so far.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.waiting.streams.try_recv().is_err()
    }

    /// Where connections come in.
    pub(super) fn entrance(&self, tls: Option<TlsAcceptor>) -> Entrance {
        let (numbers, places, inbox) = (self.numbers.clone(), self.places.clone(), self.inbox.clone());
        Entrance { interface: 0, tls, numbers, places, inbox }
    }

    async fn accepting(&self) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        listener.set_nonblocking(true).expect("set");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(listen(listener, self.entrance(None)));
        address
    }
}

fn to(remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Tcp, interface: 0, connection: 0, remote }
}

const REQUEST: &str = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_connection_is_opened_once_and_used_again() {
    let mut desk = desk();
    let peer = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let remote = peer.local_addr().expect("bound");

    desk.streams.send(to(remote), Bytes::from_static(b"one ")).expect("taken");
    desk.streams.send(to(remote), Bytes::from_static(b"two")).expect("taken");

    let (mut stream, _) = peer.accept().await.expect("accepted");
    let mut both = [0; 7];
    stream.read_exact(&mut both).await.expect("read");
    assert_eq!(&both, b"one two");
    assert_eq!(desk.streams.len(), 1);
}

#[tokio::test]
async fn what_the_peer_sends_on_our_connection_comes_with_its_number() {
    let mut desk = desk();
    let peer = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    desk.streams.send(to(peer.local_addr().expect("bound")), Bytes::from_static(b"hello")).expect("taken");
    let (mut stream, _) = peer.accept().await.expect("accepted");

    stream.write_all(REQUEST.as_bytes()).await.expect("written");

    match desk.news().await {
        StreamNews::Message { flow, bytes } => {
            assert_ne!(flow.connection, 0);
            assert_eq!(bytes, REQUEST);
        }
        other => panic!("a message, not {other:?}"),
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_is_told_as_lost() {
    let mut desk = desk();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("bound");

    desk.streams.send(to(nobody), Bytes::from_static(b"hello")).expect("taken");

    match desk.news().await {
        StreamNews::Lost { flow, ours } => assert_eq!((flow.remote, ours), (nobody, true)),
        other => panic!("an end, not {other:?}"),
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_closed_when_its_queue_is_full() {
    let mut desk = desk();
    let peer = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let remote = peer.local_addr().expect("bound");
    let large = Bytes::from(vec![b'x'; 64 * 1024]);

    // It accepts and never reads: the system's buffers fill up, then the queue.
    desk.streams.send(to(remote), large.clone()).expect("taken");
    let (_stream, _) = peer.accept().await.expect("accepted");
    let refused = (0..100_000).find_map(|_| desk.streams.send(to(remote), large.clone()).err());

    assert_eq!(refused, Some(Unsent::Full));
    assert!(desk.streams.is_empty());
}

#[tokio::test]
async fn a_peer_that_connects_is_entered_answered_and_struck_out() {
    let mut desk = desk();
    let mut peer = TcpStream::connect(desk.accepting().await).await.expect("connected");
    let StreamNews::Opened { flow, queue } = desk.news().await else { panic!("it opens first") };
    desk.streams.opened(flow, queue);

    desk.streams.send(flow, Bytes::from_static(b"answer")).expect("taken");
    let mut answer = [0; 6];
    peer.read_exact(&mut answer).await.expect("read");
    assert_eq!(&answer, b"answer");
    drop(peer);

    match desk.news().await {
        StreamNews::Lost { flow: lost, ours } => assert_eq!((lost, ours), (flow, false)),
        other => panic!("an end, not {other:?}"),
    }
    desk.streams.close(flow);
    assert_eq!(desk.streams.send(flow, Bytes::from_static(b"more")), Err(Unsent::Gone));
}

#[tokio::test]
async fn closing_writes_what_was_queued_and_then_ends() {
    let mut desk = desk();
    let mut peer = TcpStream::connect(desk.accepting().await).await.expect("connected");
    let StreamNews::Opened { flow, queue } = desk.news().await else { panic!("it opens first") };
    desk.streams.opened(flow, queue);

    desk.streams.send(flow, Bytes::from_static(b"last")).expect("taken");
    desk.streams.close(flow);

    let mut all = Vec::new();
    peer.read_to_end(&mut all).await.expect("read");
    assert_eq!(all, b"last");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_or_half_a_message_is_closed() {
    for said in ["", "OPTIONS sip:a SIP/2.0\r\n"] {
        let mut desk = desk();
        let mut peer = TcpStream::connect(desk.accepting().await).await.expect("connected");
        let StreamNews::Opened { flow, queue } = desk.news().await else { panic!("it opens first") };
        desk.streams.opened(flow, queue);

        peer.write_all(said.as_bytes()).await.expect("written");
        // Time is virtual: it jumps to the limit as soon as nobody has anything to do.
        let ended = peer.read(&mut [0; 1]).await;

        assert_eq!(ended.expect("closed"), 0, "after `{said}`");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_but_keep_alives_is_closed() {
    let mut desk = desk();
    let mut peer = TcpStream::connect(desk.accepting().await).await.expect("connected");
    let StreamNews::Opened { flow, queue } = desk.news().await else { panic!("it opens first") };
    desk.streams.opened(flow, queue);
    let began = tokio::time::Instant::now();

    let mut pongs = 0;
    loop {
        let sent = peer.write_all(b"\r\n\r\n").await;
        let mut pong = [0; 2];
        if sent.is_err() || peer.read_exact(&mut pong).await.is_err() {
            break;
        }
        pongs += 1;
        tokio::time::sleep(Duration::from_secs(10)).await;
    }

    assert!((1..=4).contains(&pongs), "{pongs} keep-alives were answered");
    assert!(began.elapsed() < Duration::from_secs(60));
}
