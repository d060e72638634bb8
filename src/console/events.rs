//! What changes, as it changes: one stream of events for each console, none of which can hold up anybody.
//!
//! An event's id is the process's own mark and the board's number. A console that comes back with the last id it had gets what it
//! missed; where that is no longer known, or it was too slow, `resync` tells it to load the list anew. A `beat` every 15 seconds
//! carries the time and the state of the parts, so that a page can tell a quiet night from a dead line.

use super::gate::Caller;
use super::presence::Seat;
use super::problem::Problem;
use super::{Room, Shared, gate, stopped};
use crate::keeper::board::{Board, News};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

/// How often a stream shows that it lives.
const BEAT: Duration = Duration::from_secs(15);
/// Events that are kept for consoles that come back.
const KEPT: usize = 1_024;
/// Events that wait for one console's line; then the board's own backlog takes over, then `resync`.
const AHEAD: usize = 64;
/// A console whose line takes nothing for so long is gone.
const STUCK: Duration = Duration::from_secs(60);

/// The recent news, and the places for listeners.
pub(super) struct Events {
    /// What the ids of this process begin with.
    mark: String,
    recent: Mutex<Recent>,
    places: Arc<Semaphore>,
}

struct Recent {
    news: VecDeque<News>,
    /// The number of the latest news that was ever taken in.
    latest: u64,
    more: broadcast::Receiver<News>,
}

impl Recent {
    /// Takes in what has come since. No task does it: whoever needs it does, and what waits meanwhile is bounded.
    fn catch_up(&mut self) {
        loop {
            match self.more.try_recv() {
                Ok(news) => {
                    self.latest = news.number;
                    self.news.push_back(news);
                    if self.news.len() > KEPT {
                        self.news.pop_front();
                    }
                }
                // There is a gap now: nothing before it may be given.
                Err(TryRecvError::Lagged(_)) => self.news.clear(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}

/// How a console begins.
enum Start {
    /// It knows everything but these.
    Missed(Vec<News>),
    /// It has to load the list; with the reason's name.
    Anew(&'static str),
}

impl Events {
    pub fn new(board: &Board, places: usize) -> Events {
        let (latest, more) = board.listen();
        let mark = gate::random()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let recent = Mutex::new(Recent { news: VecDeque::new(), latest, more });
        Events { mark, recent, places: Arc::new(Semaphore::new(places)) }
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.mark)
    }

    /// The id of the latest event.
    pub fn latest(&self) -> String {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.catch_up();
        self.id(recent.latest)
    }

    /// What a console that had `last` has missed up to `number`.
    fn start(&self, last: Option<&str>, number: u64) -> Start {
        let Some(last) = last else { return Start::Anew("hello") };
        let mine = last.strip_prefix(&self.mark).and_then(|rest| rest.strip_prefix('-'));
        let Some(last) = mine.and_then(|n| n.parse::<u64>().ok()).filter(|n| *n <= number) else {
            return Start::Anew("resync");
        };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.catch_up();
        let missed: Vec<News> = recent.news.iter().filter(|n| n.number > last && n.number <= number).cloned().collect();
        match missed.len() as u64 == number - last {
            true => Start::Missed(missed),
            false => Start::Anew("resync"),
        }
    }
}

/// `GET /api/v1/events`
pub(super) async fn follow(
    caller: Caller,
    State(room): State<Shared>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let place = room.events.places.clone().try_acquire_owned().map_err(|_| {
        Problem::unavailable(
            "too_many_listeners",
            "Too many consoles follow events; close some, or raise limits.event_streams.",
        )
    })?;
    let (number, news) = room.board.listen();
    let start = room.events.start(headers.get("last-event-id").and_then(|id| id.to_str().ok()), number);
    let (line, events) = mpsc::channel(AHEAD);
    let seat = Seat::take(&room, &caller);
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends with its console, its session or the service; its end ends the stream"
    )]
    tokio::spawn(tell(room, caller, start, number, news, line, (place, seat)));
    // A proxy that buffers would keep an alarm back.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(ReceiverStream::new(events))))
}

type Line = mpsc::Sender<Result<Event, Infallible>>;

/// Tells one console, until it leaves, its session ends, or the service does.
async fn tell(
    room: Shared,
    caller: Caller,
    start: Start,
    number: u64,
    mut news: broadcast::Receiver<News>,
    line: Line,
    _places: (OwnedSemaphorePermit, Option<Seat>),
) {
    let first = match start {
        Start::Anew(why) => vec![anew(&room, why, number)],
        Start::Missed(missed) => missed.iter().map(|news| changed(&room, news)).collect(),
    };
    for event in first {
        if !put(&line, event).await {
            return;
        }
    }
    let mut beat = tokio::time::interval(BEAT);
    let stop = stopped(room.shutdown.clone());
    tokio::pin!(stop);
    loop {
        let event = tokio::select! {
            () = &mut stop => return,
            () = line.closed() => return,
            _ = beat.tick() => match room.gate.still(&caller, room.tick()) {
                true => beat_of(&room),
                false => return,
            },
            next = news.recv() => match next {
                Ok(news) => changed(&room, &news),
                Err(RecvError::Lagged(_)) => {
                    let (number, fresh) = room.board.listen();
                    news = fresh;
                    anew(&room, "resync", number)
                }
                Err(RecvError::Closed) => return,
            },
        };
        if !put(&line, event).await {
            return;
        }
    }
}

async fn put(line: &Line, event: Event) -> bool {
    line.send_timeout(Ok(event), STUCK).await.is_ok()
}

fn changed(room: &Room, news: &News) -> Event {
    let mut shown = json!(*news.shown);
    shown["now"] = room.wall().utc().into();
    Event::default().event("alarm").id(room.events.id(news.number)).data(shown.to_string())
}

fn anew(room: &Room, why: &str, number: u64) -> Event {
    let data = json!({"now": room.wall().utc()}).to_string();
    Event::default().event(why).id(room.events.id(number)).data(data)
}

fn beat_of(room: &Room) -> Event {
    let data = json!({"now": room.wall().utc(), "parts": (room.readiness)()}).to_string();
    Event::default().event("beat").data(data)
}

#[cfg(test)]
mod tests;
