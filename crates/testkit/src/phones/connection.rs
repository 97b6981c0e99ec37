//! One TCP connection of a phone.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;

use bytes::Bytes;
use mio::Token;
use mio::net::TcpStream;
use sip::{Flow, Frame, Framer, Transport};

/// What may wait to be written; who reads no faster is hung up on.
const WAITING: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Connection {
    pub flow: Flow,
    pub token: Token,
    /// We opened it.
    pub is_ours: bool,
    stream: TcpStream,
    framer: Framer,
    waiting: Vec<u8>,
}

/// The connection is of no use any more.
#[derive(Debug)]
pub(super) struct Broken;

impl Connection {
    pub(super) fn new(stream: TcpStream, remote: SocketAddr, number: u64, token: Token, is_ours: bool) -> Self {
        let flow = Flow { transport: Transport::Tcp, interface: 0, connection: number, remote };
        // Only speed is at stake.
        let _ = stream.set_nodelay(true);
        Self { flow, token, is_ours, stream, framer: Framer::new(), waiting: Vec::new() }
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if self.waiting.len() + bytes.len() > WAITING {
            return Err(Broken);
        }
        self.waiting.extend_from_slice(bytes);
        self.flush()
    }

    /// Writes what can be written.
    pub(super) fn flush(&mut self) -> Result<(), Broken> {
        while !self.waiting.is_empty() {
            match self.stream.write(&self.waiting) {
                Ok(0) => return Err(Broken),
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_for_later(&error) => break,
                Err(_) => return Err(Broken),
            }
        }
        Ok(())
    }

    /// Reads once. None: there is nothing more to read.
    pub(super) fn receive(&mut self) -> Result<Option<Vec<Bytes>>, Broken> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err(Broken),
            Ok(read) => self.framer.push(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Some(Vec::new())),
            Err(error) if is_for_later(&error) => return Ok(None),
            Err(_) => return Err(Broken),
        }
        let mut messages = Vec::new();
        while let Some(frame) = self.framer.next() {
            match frame.map_err(|_| Broken)? {
                Frame::Message(message) => messages.push(message),
                Frame::Ping => self.send(Frame::PONG)?,
                Frame::Pong => {}
            }
        }
        Ok(Some(messages))
    }
}

/// A connection that is being opened says that it is not connected.
fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected)
}
