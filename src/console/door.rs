//! The door of the console: so many guests at once and no more. Whoever only knocks must not use up the descriptors that notices and
//! the journal need; those beyond wait in the system's queue, until a place is given up or taken from one who says nothing.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustix::process::{Resource, getrlimit};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tracing::warn;

/// Far more than the operators of a city have pages open.
const MOST_GUESTS: u64 = 512;
/// The console may have this share of the process's descriptors.
const SHARE: u64 = 4;
/// A connection over which nothing comes or goes for so long loses its place. A stream of events has a beat every 15 s, and a browser
/// connects anew without a word.
const IDLE: Duration = Duration::from_secs(60);

/// Lets in as many as there are places.
pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    idle: Duration,
}

impl Door {
    pub fn new(listener: TcpListener) -> Door {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let places = (descriptors / SHARE).clamp(1, MOST_GUESTS);
        Door { listener, places: Arc::new(Semaphore::new(usize::try_from(places).unwrap_or(1))), idle: IDLE }
    }
}

impl Listener for Door {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        if self.places.available_permits() == 0 {
            metrics::counter!("hearthwatch_console_full_total").increment(1);
            warn!("all places of the console are taken: who comes now waits until one is free");
        }
        // The places are never closed.
        let place = self.places.clone().acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let silent = Box::pin(sleep(self.idle));
        (Guest { stream, idle: self.idle, silent, _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address(pub SocketAddr);

impl Connected<IncomingStream<'_, Door>> for Address {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Address {
        Address(*stream.remote_addr())
    }
}

/// A connection, which has its place as long as it stands.
pub(super) struct Guest {
    stream: TcpStream,
    idle: Duration,
    /// Over once nothing has come or gone for so long.
    silent: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Guest {
    fn moved<T>(&mut self, cx: &mut Context<'_>, what: io::Result<T>) -> Poll<io::Result<T>> {
        self.silent.set(sleep(self.idle));
        // Else nobody would be woken: whoever waits to read does not ask again because something was written.
        let _ = self.silent.as_mut().poll(cx);
        Poll::Ready(what)
    }

    /// Nothing moves: that may not go on.
    fn waits<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.silent.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Guest {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => self.moved(cx, read),
            Poll::Pending => self.waits(cx),
        }
    }
}

impl AsyncWrite for Guest {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Ready(written) => self.moved(cx, written),
            Poll::Pending => self.waits(cx),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn who_says_nothing_loses_the_place_to_the_next() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let idle = Duration::from_millis(20);
        let mut door = Door { listener, places: Arc::new(Semaphore::new(1)), idle };
        let _silent = TcpStream::connect(at).await.unwrap();
        let (mut first, _) = door.accept().await;
        let mut next = TcpStream::connect(at).await.unwrap();
        let mut byte = [0];
        assert_eq!(first.read(&mut byte).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(first);
        let (mut second, _) = door.accept().await;
        next.write_all(b"x").await.unwrap();
        assert_eq!(second.read(&mut byte).await.unwrap(), 1, "and who speaks is heard");
    }

    #[tokio::test]
    async fn who_got_an_answer_and_says_no_more_loses_the_place_too() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let door = Door { listener, places: Arc::new(Semaphore::new(1)), idle: Duration::from_millis(50) };
        let page = axum::Router::new().route("/", axum::routing::get(async || "here"));
        let asks = async {
            let mut guest = TcpStream::connect(at).await.unwrap();
            guest.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            let ended = tokio::time::timeout(Duration::from_secs(20), guest.read_to_string(&mut answer));
            ended.await.expect("the connection ends").unwrap();
            assert!(answer.ends_with("here"), "{answer}");
        };
        tokio::select! {
            served = axum::serve(door, page).into_future() => served.unwrap(),
            () = asks => {}
        }
    }
}
