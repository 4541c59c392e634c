//! Connections, for as long as whoever is at the other end reads.
//!
//! A reader that takes nothing keeps a query and its memory; nothing tells the server that it will never go on. After a while
//! the connection is closed, which stops the query.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;

/// Listens, with limited patience.
#[derive(Debug)]
pub(super) struct Patient {
    listener: TcpListener,
    patience: Option<Duration>,
}

impl Patient {
    pub(super) const fn new(listener: TcpListener, patience: Option<Duration>) -> Self {
        Self { listener, patience }
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Listener for Patient {
    type Io = Pin<Box<TimeoutStream<TcpStream>>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        // Pieces leave as they are made.
        let _as_good_without = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(self.patience);
        (Box::pin(stream), peer)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Patient>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Patient>) -> Self {
        Self(*stream.remote_addr())
    }
}
