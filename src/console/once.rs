//! The memory behind `Idempotency-Key`: the same key gives the same answer, and what it stands for happens once.

use super::problem::Problem;
use axum::http::HeaderMap;
use serde_json::Value;
use std::collections::VecDeque;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Keys that are remembered.
const MOST: usize = 1_024;
/// The longest key in bytes.
pub(super) const MAX_KEY_BYTES: usize = 200;

/// An answer that was given, good or bad. What never reached the keeper is no answer.
pub(super) type Answered = Result<Value, Problem>;

/// Whose key for which path it is: account, path, key.
type Key = (String, String, String);

struct Kept {
    key: Key,
    /// What was asked for under it.
    asked: u64,
    answer: Arc<OnceCell<Answered>>,
}

/// The recent keys, oldest first.
#[derive(Default)]
pub(super) struct Once {
    kept: Mutex<VecDeque<Kept>>,
}

impl Once {
    /// Does the work as [`Once::run`] does where the request has an `Idempotency-Key`, else plainly. `of` is the account and the path.
    pub async fn keyed(
        &self,
        of: (String, String),
        headers: &HeaderMap,
        body: &[u8],
        work: impl Future<Output = Result<Answered, Problem>> + Send + 'static,
    ) -> Answered {
        let Some(key) = idempotency_key(headers)? else { return work.await? };
        let mut asked = DefaultHasher::new();
        body.hash(&mut asked);
        self.run((of.0, of.1, key), asked.finish(), work).await
    }

    /// Does the work, unless it was done or is being done under this key: then its answer is given. Work that fails with `Err`
    /// came to nothing and is done again under the same key. It goes on even where the asker has left.
    pub async fn run(
        &self,
        key: Key,
        asked: u64,
        work: impl Future<Output = Result<Answered, Problem>> + Send + 'static,
    ) -> Answered {
        let answer = self.cell(key, asked)?;
        #[expect(clippy::disallowed_methods, reason = "it is waited for; it goes on only where the asker has left")]
        let done = tokio::spawn(async move { answer.get_or_try_init(|| work).await.cloned() }).await;
        match done {
            Ok(Ok(answered)) => answered,
            Ok(Err(problem)) => Err(problem),
            Err(_) => Err(Problem::unavailable("failed", "The request failed; look whether it came to pass.")),
        }
    }

    fn cell(&self, key: Key, asked: u64) -> Result<Arc<OnceCell<Answered>>, Problem> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.iter().find(|k| k.key == key) {
            let detail = "This Idempotency-Key was used for another request; take a new one.";
            let same = known.asked == asked;
            return same.then(|| known.answer.clone()).ok_or_else(|| Problem::unfit("idempotency_key_reused", detail));
        }
        if kept.len() == MOST {
            kept.pop_front();
        }
        let answer = Arc::new(OnceCell::new());
        kept.push_back(Kept { key, asked, answer: answer.clone() });
        Ok(answer)
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| (1..=MAX_KEY_BYTES).contains(&text.len()));
    let detail = "An Idempotency-Key has 1 to 200 visible ASCII characters.";
    text.map(|text| Some(text.to_owned())).ok_or_else(|| Problem::unfit("bad_idempotency_key", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn key(name: &str) -> Key {
        ("zhang".into(), "/x".into(), name.into())
    }

    async fn ask(once: &Once, name: &str, asked: u64, count: &Arc<AtomicU32>) -> Answered {
        let count = count.clone();
        once.run(key(name), asked, async move { Ok(Ok(count.fetch_add(1, Ordering::Relaxed).into())) }).await
    }

    #[tokio::test]
    async fn one_key_one_deed() {
        let (once, count) = (Once::default(), Arc::new(AtomicU32::new(1)));
        let (a, b) = tokio::join!(ask(&once, "k", 7, &count), ask(&once, "k", 7, &count));
        assert_eq!((a.unwrap(), b.unwrap()), (1.into(), 1.into()));
        assert_eq!(ask(&once, "k", 8, &count).await.unwrap_err().reason(), "idempotency_key_reused");
        assert_eq!(ask(&once, "other", 7, &count).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn what_came_to_nothing_is_done_again() {
        let (once, count) = (Once::default(), Arc::new(AtomicU32::new(1)));
        let gone = async { Err(Problem::unavailable("keeper_gone", "")) };
        assert_eq!(once.run(key("k"), 7, gone).await.unwrap_err().reason(), "keeper_gone");
        assert_eq!(ask(&once, "k", 7, &count).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_deed_goes_on_without_its_asker_and_the_memory_is_bounded() {
        let (once, count) = (Once::default(), Arc::new(AtomicU32::new(0)));
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let work = async move { wait.await.map(|()| Ok(5.into())).map_err(|_| Problem::unavailable("x", "")) };
        let left = tokio::time::timeout(std::time::Duration::from_millis(1), once.run(key("k"), 7, work)).await;
        assert!(left.is_err());
        go.send(()).unwrap();
        assert_eq!(ask(&once, "k", 7, &count).await.unwrap(), 5);
        for n in 0..2 * MOST {
            ask(&once, &n.to_string(), 0, &count).await.unwrap();
        }
        assert_eq!(once.kept.lock().unwrap().len(), MOST);
    }
}
