//! Connections of HTTP: how many there may be, and how long each may keep the server waiting.
//!
//! ```text
//!   accept ─▶ Crowd: full? the one that waited longest goes ─▶ Idle ─▶ Head ─▶ Asked ⇄ Body ─▶ Idle …
//!                                                               │        │               │
//!                                                 idle timeout ─┴────────┴─ head timeout  └─ body timeout: 408
//! ```
//!
//! The invariant: whoever connects and says nothing, or not all, keeps nobody else out. Where there is no room, a connection that is
//! not being answered makes some; a connection whose reader takes nothing is closed, which stops its query.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::gate;

/// How long to wait when the system has no more sockets.
const BREATH: Duration = Duration::from_millis(100);
/// How many of the files that a process may have open are left for other things than connections: one of so many.
const SHARE_OF_FILES: u64 = 2;

/// How many connections there may be, and how long each may wait.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// In all; no more than half of the files that the process may have open.
    pub connections: usize,
    /// From one address.
    pub per_address: usize,
    /// How long the head of a request may take.
    pub head: Duration,
    /// How long a body may bring nothing.
    pub body: Duration,
    /// How long a connection may stay open between requests.
    pub idle: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            per_address: 512,
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(60),
        }
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// A body that brought nothing for too long.
#[derive(Debug, thiserror::Error)]
#[error("the body brought nothing for {} s", .0.as_secs_f64())]
pub(super) struct Stalled(pub(super) Duration);

/// What a connection is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A request.
    Idle,
    /// The rest of its head.
    Head,
    /// The rest of its body.
    Body,
    /// Nothing: it is being answered.
    Asked,
}

/// One connection, as the crowd sees it.
#[derive(Debug)]
struct Seat {
    address: IpAddr,
    waits: Mutex<(Phase, Instant)>,
    leave: CancellationToken,
}

impl Seat {
    fn enter(&self, phase: Phase) {
        *lock(&self.waits) = (phase, Instant::now());
    }

    /// Something came.
    fn hears(&self) {
        let mut waits = lock(&self.waits);
        if waits.0 == Phase::Idle {
            *waits = (Phase::Head, Instant::now());
        }
    }

    /// Since when it waits for its client, where it does.
    fn waiting(&self) -> Option<(Phase, Instant)> {
        let waits = *lock(&self.waits);
        (waits.0 != Phase::Asked).then_some(waits)
    }

    fn is_overdue(&self, limits: &ConnectionLimits) -> bool {
        match self.waiting() {
            Some((Phase::Idle, since)) => since.elapsed() >= limits.idle,
            Some((Phase::Head, since)) => since.elapsed() >= limits.head,
            // A body has a limit of its own, and an answer that says so.
            _ => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All connections.
#[derive(Debug)]
struct Crowd {
    limits: ConnectionLimits,
    seats: Mutex<HashMap<u64, Arc<Seat>>>,
}

impl Crowd {
    /// Room for one more from an address; nothing where all that are there are being answered.
    fn admit(self: &Arc<Self>, number: u64, address: IpAddr) -> Option<Membership> {
        let mut seats = lock(&self.seats);
        let from_there = seats.values().filter(|seat| seat.address == address).count();
        let full = if from_there >= self.limits.per_address {
            dismiss(&mut seats, |seat| seat.address == address)
        } else if seats.len() >= self.limits.connections {
            dismiss(&mut seats, |_| true)
        } else {
            true
        };
        if !full {
            return None;
        }
        let seat = Arc::new(Seat {
            address,
            waits: Mutex::new((Phase::Idle, Instant::now())),
            leave: CancellationToken::new(),
        });
        seats.insert(number, Arc::clone(&seat));
        Some(Membership {
            crowd: Arc::clone(self),
            number,
            seat,
        })
    }
}

/// Sends away the connection that has waited longest for its client. Returns whether there is one.
fn dismiss(seats: &mut HashMap<u64, Arc<Seat>>, fits: impl Fn(&Seat) -> bool) -> bool {
    let waiting = seats
        .iter()
        .filter(|(_, seat)| fits(seat))
        .filter_map(|(number, seat)| Some((seat.waiting()?.1, *number)));
    let Some((_, number)) = waiting.min() else {
        return false;
    };
    if let Some(seat) = seats.remove(&number) {
        seat.leave.cancel();
    }
    true
}

/// A place in the crowd, given back when it is dropped.
#[derive(Debug)]
struct Membership {
    crowd: Arc<Crowd>,
    number: u64,
    seat: Arc<Seat>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        lock(&self.crowd.seats).remove(&self.number);
    }
}

/// How many connections the process can have, by the files that it may have open. The limit is raised as far as it goes.
fn most_by_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _as_it_was = setrlimit(Resource::Nofile, raised);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files / SHARE_OF_FILES).unwrap_or(usize::MAX).max(1)
}

/// Accepts connections until `stop` is said; then waits for those that are being answered.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    patience: Option<Duration>,
    stop: CancellationToken,
) {
    let most = most_by_files();
    if limits.connections > most {
        tracing::warn!(
            most,
            "fewer connections than configured: the process may not have more files open (ulimit -n)"
        );
    }
    let crowd = Arc::new(Crowd {
        limits: ConnectionLimits {
            connections: limits.connections.min(most),
            ..limits
        },
        seats: Mutex::default(),
    });
    let mut tasks = JoinSet::new();
    let mut number = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next() => continue,
        };
        match accepted {
            Ok((socket, peer)) => {
                number += 1;
                match crowd.admit(number, peer.ip().to_canonical()) {
                    Some(membership) => {
                        tasks.spawn(attend(socket, peer, membership, (router.clone(), patience, stop.clone())));
                    }
                    None => turn_away(&socket),
                }
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                let _any = dismiss(&mut lock(&crowd.seats), |_| true);
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

/// Whether a connection failed before it was accepted, which says nothing of the next one.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// All connections are being answered: says so, as far as that needs no waiting.
fn turn_away(socket: &TcpStream) {
    tracing::warn!("a connection is turned away: as many are being answered as may be open");
    let body = super::error::too_many_connections();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _as_good_without = socket.try_write(answer.as_bytes());
}

/// Answers the requests of one connection.
async fn attend(
    socket: TcpStream,
    peer: SocketAddr,
    membership: Membership,
    (router, patience, stop): (Router, Option<Duration>, CancellationToken),
) {
    // Pieces leave as they are made.
    let _as_good_without = socket.set_nodelay(true);
    let mut stream = TimeoutStream::new(socket);
    stream.set_write_timeout(patience);
    let seat = Arc::clone(&membership.seat);
    let limits = membership.crowd.limits;
    let heard = Heard {
        stream: Box::pin(stream),
        seat: Arc::clone(&seat),
    };
    let asked = Arc::clone(&seat);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        let seat = Arc::clone(&asked);
        async move {
            seat.enter(Phase::Asked);
            let asked = Asked(Arc::clone(&seat));
            let mut request = request.map(|body| Body::new(Paced::new(body, seat, limits.body)));
            request.extensions_mut().insert(ConnectInfo(Peer(peer)));
            let Ok(mut response): Result<Response, Infallible> = router.call(request).await;
            gate::complete_allow(response.headers_mut());
            Ok::<_, Infallible>(response.map(|body| Body::new(Answering { body, _asked: asked })))
        }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(heard), service)
    );
    let tick = (limits.head.min(limits.idle) / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = seat.leave.cancelled() => return,
            () = stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(tick) => {
                if seat.is_overdue(&limits) {
                    return;
                }
            }
        }
    }
}

/// A request that is being answered: the connection is idle when this is dropped.
struct Asked(Arc<Seat>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
    }
}

/// The body of an answer.
struct Answering {
    body: Body,
    _asked: Asked,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a request, which must bring something now and then.
struct Paced {
    body: Incoming,
    seat: Arc<Seat>,
    most: Duration,
    /// Only while nothing comes.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    const fn new(body: Incoming, seat: Arc<Seat>, most: Duration) -> Self {
        Self {
            body,
            seat,
            most,
            alarm: None,
        }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            if this.alarm.take().is_some() {
                this.seat.enter(Phase::Asked);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let most = this.most;
        let alarm = this.alarm.get_or_insert_with(|| {
            this.seat.enter(Phase::Body);
            Box::pin(tokio::time::sleep(most))
        });
        ready!(alarm.as_mut().poll(context));
        this.alarm = None;
        this.seat.enter(Phase::Asked);
        Poll::Ready(Some(Err(Stalled(most).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that tells when something comes.
struct Heard {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    seat: Arc<Seat>,
}

impl AsyncRead for Heard {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.stream.as_mut().poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.seat.hears();
        }
        read
    }
}

impl AsyncWrite for Heard {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, pieces: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waited_longest_makes_room_and_whoever_is_answered_stays() {
        let crowd = Arc::new(Crowd {
            limits: ConnectionLimits {
                connections: 3,
                per_address: 2,
                ..ConnectionLimits::default()
            },
            seats: Mutex::default(),
        });
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([10, 0, 0, 1]));
        let first = crowd.admit(1, here).unwrap();
        let second = crowd.admit(2, here).unwrap();
        let third = crowd.admit(3, here).unwrap();
        assert!(
            first.seat.leave.is_cancelled() && !second.seat.leave.is_cancelled(),
            "of that address"
        );
        let other = crowd.admit(4, there).unwrap();
        assert!(!second.seat.leave.is_cancelled(), "there is room");
        second.seat.enter(Phase::Asked);
        let more = crowd.admit(5, there).unwrap();
        assert!(third.seat.leave.is_cancelled(), "the second one is being answered");
        other.seat.enter(Phase::Asked);
        more.seat.enter(Phase::Asked);
        assert!(crowd.admit(6, there).is_none() && crowd.admit(7, here).is_none());
        drop(more);
        assert!(crowd.admit(8, there).is_some());
        assert_eq!(lock(&crowd.seats).len(), 2, "given back");
    }
}
