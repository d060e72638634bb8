//! What is open right now, for those who only look: kept in memory, renewed after each commit, read without the keeper.

use crate::engine::home::suppression::SuppressionKind;
use crate::engine::id::AlarmId;
use crate::engine::view::{AlarmView, ArrivalView, HomeView, NextView};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use tokio::sync::broadcast;

/// An alarm with its home and what comes next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    #[serde(flatten)]
    pub alarm: AlarmView,
    pub home: HomeView,
    pub rung: u32,
    pub next: Option<NextView>,
    /// By when somebody is to be there.
    pub arrival: Option<ArrivalView>,
    /// Why nobody is told of it at present.
    pub hidden_by: Option<SuppressionKind>,
    pub open: bool,
    /// How an ended alarm was closed.
    pub outcome: Option<&'static str>,
}

/// Something on the board changed.
#[derive(Debug, Clone)]
pub struct News {
    /// Counts up from the start of the process.
    pub number: u64,
    pub shown: Arc<Shown>,
}

/// The open alarms of all sites of the process.
pub struct Board {
    inner: RwLock<Inner>,
    news: broadcast::Sender<News>,
}

#[derive(Default)]
struct Inner {
    open: BTreeMap<AlarmId, Arc<Shown>>,
    number: u64,
}

/// How many changes a slow listener may be behind before it has to load anew.
const BACKLOG: usize = 4_096;

impl Default for Board {
    fn default() -> Self {
        Board { inner: RwLock::default(), news: broadcast::Sender::new(BACKLOG) }
    }
}

impl Board {
    /// Open alarms, the gravest first, then the oldest.
    pub fn open(&self) -> Vec<Arc<Shown>> {
        let mut all: Vec<_> = self.read().open.values().cloned().collect();
        all.sort_by(|a, b| {
            (a.alarm.priority, a.alarm.kind, a.alarm.raised_at).cmp(&(
                b.alarm.priority,
                b.alarm.kind,
                b.alarm.raised_at,
            ))
        });
        all
    }

    pub fn get(&self, id: &AlarmId) -> Option<Arc<Shown>> {
        self.read().open.get(id).cloned()
    }

    /// The number of the latest news, and all news from now on.
    pub fn listen(&self) -> (u64, broadcast::Receiver<News>) {
        let inner = self.read();
        (inner.number, self.news.subscribe())
    }

    /// Puts what changed on the board.
    pub fn show(&self, changed: Vec<Shown>) {
        let mut inner = self.inner.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        for shown in changed {
            let shown = Arc::new(shown);
            match shown.open {
                true => inner.open.insert(shown.alarm.id.clone(), shown.clone()),
                false => inner.open.remove(&shown.alarm.id),
            };
            inner.number += 1;
            // Nobody listening is no error.
            let _ = self.news.send(News { number: inner.number, shown });
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
