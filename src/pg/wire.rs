//! Bytes in and out of a connection.
//!
//! The invariant: a connection holds no more than its largest message, whatever a length says of what is to come, and is given up
//! when nothing of what it is sent is taken for too long.

use std::io;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use pgwire::messages::PgWireBackendMessage;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::error::PgError;

/// How many bytes wait before they are sent.
const PIECE: usize = 32 * 1024;
/// How many bytes of what comes next are read while something else is answered.
const AHEAD: usize = 64 * 1024;
/// How much is read at once.
const READ: usize = 8 * 1024;

/// A connection.
#[derive(Debug)]
pub(super) struct Wire {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    incoming: BytesMut,
    outgoing: BytesMut,
    patience: Duration,
}

impl Wire {
    /// A connection to somebody who takes something of what it is sent within `patience`.
    pub(super) fn new(socket: TcpStream, patience: Duration) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let (reader, writer) = socket.into_split();
        Ok(Self {
            reader,
            writer,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            patience,
        })
    }

    /// The next message that has no kind, without its length; nothing at the end.
    pub(super) async fn opening(&mut self, most: usize) -> Result<Option<Bytes>, PgError> {
        self.frame(0, most).await
    }

    /// The next message; nothing at the end.
    pub(super) async fn next(&mut self, most: usize) -> Result<Option<(u8, Bytes)>, PgError> {
        let frame = self.frame(1, most).await?;
        Ok(frame.map(|mut frame| {
            let kind = frame.get_u8();
            // The length is known by now.
            frame.advance(4);
            (kind, frame)
        }))
    }

    /// A message with so many bytes before its length. Without any, its length goes as well.
    async fn frame(&mut self, before: usize, most: usize) -> Result<Option<Bytes>, PgError> {
        loop {
            if let Some(length) = self.incoming.get(before..before + 4) {
                let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
                if length < 4 || length > most {
                    return Err(PgError::fatal(
                        "08P01",
                        format!("a message of {length} bytes is not accepted; at most {most} are"),
                    ));
                }
                if self.incoming.len() >= before + length {
                    let mut frame = self.incoming.split_to(before + length).freeze();
                    if before == 0 {
                        frame.advance(4);
                    }
                    return Ok(Some(frame));
                }
            }
            // Between messages a client may be silent; amid one it may not.
            let begun = !self.incoming.is_empty();
            let patience = self.patience;
            let read = self.read();
            let read = if begun {
                let read = tokio::time::timeout(patience, read).await;
                read.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()))
            } else {
                read.await
            };
            if read.map_err(PgError::Gone)? == 0 {
                return Ok(None);
            }
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        // Room is made for what comes, not for what a length promises.
        self.incoming.reserve(READ);
        self.reader.read_buf(&mut self.incoming).await
    }

    /// Done when the client is gone. What it says meanwhile is kept for later.
    async fn gone(&mut self) -> PgError {
        while self.incoming.len() < AHEAD {
            match self.read().await {
                Ok(0) => return PgError::Gone(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) => return PgError::Gone(error),
            }
        }
        std::future::pending().await
    }

    /// What comes of something, unless the client goes away before.
    pub(super) async fn unless_gone<T>(&mut self, work: impl Future<Output = Result<T, PgError>>) -> Result<T, PgError> {
        tokio::select! {
            biased;
            done = work => done,
            gone = self.gone() => Err(gone),
        }
    }

    /// Puts a message among those that are sent next.
    pub(super) fn put(&mut self, message: &PgWireBackendMessage) -> Result<(), PgError> {
        let put = message.encode(&mut self.outgoing);
        put.map_err(|error| PgError::internal(&error))
    }

    /// No encryption, of whatever kind: a letter that is no message.
    pub(super) fn decline(&mut self) {
        self.outgoing.extend_from_slice(b"N");
    }

    /// Whether there is enough to be sent.
    pub(super) fn is_full(&self) -> bool {
        self.outgoing.len() >= PIECE
    }

    /// Sends what waits.
    pub(super) async fn flush(&mut self) -> Result<(), PgError> {
        while !self.outgoing.is_empty() {
            let written = tokio::time::timeout(self.patience, self.writer.write_buf(&mut self.outgoing)).await;
            let written = written.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()));
            if written.map_err(PgError::Gone)? == 0 {
                return Err(PgError::Gone(io::ErrorKind::WriteZero.into()));
            }
        }
        Ok(())
    }

    /// Sends what waits, and nothing more.
    pub(super) async fn close(mut self) {
        let _nobody_to_tell = self.flush().await;
        let _closed = self.writer.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, Wire) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        (client, Wire::new(socket, Duration::from_millis(200)).unwrap())
    }

    #[tokio::test]
    async fn a_length_that_promises_much_makes_no_room() {
        let (mut client, mut wire) = pair().await;
        client.write_all(&[b'Q', 0x3f, 0xff, 0xff, 0xff, b'x']).await.unwrap();
        assert!(wire.next(1 << 20).await.is_err());
        assert!(wire.incoming.capacity() <= 2 * READ);
        let (mut client, mut wire) = pair().await;
        client.write_all(&[b'Q', 0, 0, 0, 3]).await.unwrap();
        assert!(wire.next(1 << 20).await.is_err());
    }

    #[tokio::test]
    async fn messages_come_one_by_one_and_an_end_is_an_end() {
        let (mut client, mut wire) = pair().await;
        client
            .write_all(&[0, 0, 0, 5, b'o', b'Q', 0, 0, 0, 6, b'a', 0, b'S', 0, 0, 0, 4, b'Q'])
            .await
            .unwrap();
        assert_eq!(wire.opening(100).await.unwrap().as_deref(), Some(&b"o"[..]));
        assert_eq!(wire.next(100).await.unwrap(), Some((b'Q', Bytes::from_static(b"a\0"))));
        assert_eq!(wire.next(100).await.unwrap(), Some((b'S', Bytes::new())));
        drop(client);
        assert_eq!(wire.next(100).await.unwrap(), None);
    }

    #[tokio::test]
    async fn work_ends_when_the_client_goes() {
        let (mut client, mut wire) = pair().await;
        client.write_all(&[b'S', 0, 0, 0, 4]).await.unwrap();
        drop(client);
        let endless = wire.unless_gone(std::future::pending::<Result<(), PgError>>()).await;
        assert!(matches!(endless, Err(PgError::Gone(_))));
    }

    #[tokio::test]
    async fn who_stops_amid_a_message_is_given_up() {
        let (mut client, mut wire) = pair().await;
        client.write_all(&[b'Q', 0, 0, 0, 9, b'x']).await.unwrap();
        assert!(matches!(wire.next(100).await, Err(PgError::Gone(_))));
        drop(client);
    }

    #[tokio::test]
    async fn who_takes_nothing_is_given_up() {
        let (client, mut wire) = pair().await;
        wire.outgoing.resize(64 << 20, 0);
        assert!(matches!(wire.flush().await, Err(PgError::Gone(_))));
        drop(client);
    }
}
