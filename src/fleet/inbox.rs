//! The demo's caseworkers' phones: a page that receives webhooks as a phone would show them, and can answer.
//!
//! `POST /hook/{phone}` takes standard webhooks, verified as any receiver should verify them; `GET /` is the page, which follows
//! `GET /events`; `POST /act/{phone}/{alarm}/{action}` hands an answer to the gateway's API, so that the token stays in this
//! process. **Not for operation:** whoever reaches the page may answer, so it belongs on loopback.

mod hook;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Semaphore, broadcast};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

/// How many messages are kept, over all phones.
const KEPT: usize = 200;
/// The largest webhook taken; Standard Webhooks asks for less than 20 kB.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// The largest answer of the gateway that is passed on.
const MAX_ANSWER_BYTES: u64 = 256 * 1024;
/// Pages that may follow at once.
const MAX_PAGES: usize = 64;
/// Messages a slow page may lag behind before it has to load everything anew.
const LAG: usize = 256;
/// What a page may do: only what comes from here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// By what the demo's people say who they are on the page behind a notice's link.
pub const PIN: &str = "2468";

/// Whose phone it is. Holds a token, so it has no `Debug`.
#[derive(Clone, Serialize)]
pub struct Phone {
    /// The last level of its webhook's path, and the responder's id.
    pub id: String,
    pub name: String,
    /// caseworker, deputy, lead: the name of the rung.
    pub role: String,
    /// The person's bearer token for the gateway's API; never leaves this process but for there.
    #[serde(skip)]
    pub token: String,
}

/// What the inbox needs to know.
#[derive(Clone)]
pub struct InboxOptions {
    pub phones: Vec<Phone>,
    /// The `whsec_…` secret of the demo's channels.
    pub secret: String,
    /// Where the gateway's API is: `http://127.0.0.1:8080`.
    pub api: String,
    /// Where the console is, for a link; empty for none.
    pub console: String,
    /// Local time of the homes, in minutes east of UTC.
    pub utc_offset_min: i32,
}

impl InboxOptions {
    /// The three people of the demo, caseworker 张敏, deputy 李强 and lead 王芳, with their tokens in this order.
    pub fn demo_phones(tokens: [String; 3]) -> Vec<Phone> {
        let people = [("zhangmin", "张敏", "caseworker"), ("liqiang", "李强", "deputy"), ("wangfang", "王芳", "lead")];
        let phones = people.into_iter().zip(tokens);
        phones
            .map(|((id, name, role), token)| Phone { id: id.into(), name: name.into(), role: role.into(), token })
            .collect()
    }
}

/// Why there can be no inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboxError {
    /// The secret is not `whsec_` and base64.
    BadSecret,
    /// The API's address is no http URL.
    BadApi,
    /// The token holds characters that no header may carry.
    BadToken,
    /// The HTTP client could not be made.
    NoClient(String),
}

impl fmt::Display for InboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InboxError::BadSecret => f.write_str("the webhook secret must be whsec_ and base64"),
            InboxError::BadApi => f.write_str("the gateway's API must be an http URL"),
            InboxError::BadToken => f.write_str("a phone's API token holds characters that no header may carry"),
            InboxError::NoClient(why) => write!(f, "no HTTP client: {why}"),
        }
    }
}

impl std::error::Error for InboxError {}

/// One message on one phone.
#[derive(Debug, Clone, Serialize)]
struct Entry {
    /// Counts up over all phones.
    number: u64,
    phone: String,
    /// The webhook's id: a second delivery of it is no second message.
    id: String,
    received_ms: u64,
    deliveries: u32,
    event: Value,
}

struct Inbox {
    options: InboxOptions,
    verifier: hook::Verifier,
    api: Url,
    client: reqwest::Client,
    entries: Mutex<VecDeque<Entry>>,
    news: broadcast::Sender<Entry>,
    pages: Arc<Semaphore>,
    /// Tells a page that its inbox is another one than before: when this one began.
    run: u64,
}

/// The routes of the inbox; for a listener on loopback. Must be called inside a tokio runtime.
pub fn router(options: InboxOptions) -> Result<Router, InboxError> {
    if options.phones.iter().any(|phone| bearer(phone).is_none()) {
        return Err(InboxError::BadToken);
    }
    let api = Url::parse(&options.api).ok().filter(|url| url.scheme().starts_with("http") && url.has_host());
    let inbox = Inbox {
        verifier: hook::Verifier::new(&options.secret).ok_or(InboxError::BadSecret)?,
        api: api.ok_or(InboxError::BadApi)?,
        client: client()?,
        entries: Mutex::new(VecDeque::with_capacity(KEPT)),
        news: broadcast::Sender::new(LAG),
        pages: Arc::new(Semaphore::new(MAX_PAGES)),
        run: now_ms(),
        options,
    };
    let asset = |kind: &'static str, body: &'static str| get(async move || page(kind, body));
    Ok(Router::new()
        .route("/", asset("text/html; charset=utf-8", include_str!("inbox/page.html")))
        .route("/inbox.css", asset("text/css; charset=utf-8", include_str!("inbox/inbox.css")))
        .route("/inbox.js", asset("text/javascript; charset=utf-8", include_str!("inbox/inbox.js")))
        .route("/words.js", asset("text/javascript; charset=utf-8", include_str!("inbox/words.js")))
        .route("/messages", get(messages))
        .route("/events", get(events))
        .route("/hook/{phone}", post(receive))
        .route("/act/{phone}/{alarm}/{action}", post(act))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(only_here))
        .with_state(Arc::new(inbox)))
}

/// A client that follows nothing, uses no proxy and waits ten seconds at most.
fn client() -> Result<reqwest::Client, InboxError> {
    let no_client = |why: String| InboxError::NoClient(why);
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| no_client(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(10))
        .build()
        .map_err(|e| no_client(e.without_url().to_string()))
}

/// The header that tells the gateway who asks.
fn bearer(phone: &Phone) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", phone.token)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Refuses who came by another name than this machine's own: a page of elsewhere that has its name point here.
async fn only_here(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|_| !host.ends_with(']')).map_or(host, |(name, _)| name);
    if ["127.0.0.1", "localhost", "[::1]"].contains(&name) {
        return next.run(request).await;
    }
    problem(StatusCode::MISDIRECTED_REQUEST, "wrong_host", "This page is for this machine only.")
}

fn page(kind: &'static str, body: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body).into_response()
}

/// A refusal as RFC 9457 has it.
fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    let body = json!({"status": status.as_u16(), "title": title, "detail": detail}).to_string();
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}

#[expect(clippy::disallowed_methods, reason = "the clock of the phones, which is none of the gateway's business")]
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

impl Inbox {
    fn entries(&self) -> std::sync::MutexGuard<'_, VecDeque<Entry>> {
        // A list of messages cannot be left half-changed, so a panic elsewhere is no reason to stop receiving.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a message, or counts a second delivery of one that is there.
    fn enter(&self, phone: &str, id: String, event: Value) {
        let mut entries = self.entries();
        let entry = match entries.iter_mut().find(|e| e.phone == phone && e.id == id) {
            Some(entry) => {
                entry.deliveries = entry.deliveries.saturating_add(1);
                entry.clone()
            }
            None => {
                let number = entries.back().map_or(1, |last| last.number + 1);
                let received_ms = now_ms();
                let entry = Entry { number, phone: phone.to_owned(), id, received_ms, deliveries: 1, event };
                if entries.len() == KEPT {
                    entries.pop_front();
                }
                entries.push_back(entry.clone());
                entry
            }
        };
        // Nobody may be looking.
        let _ = self.news.send(entry);
    }
}

/// Takes one webhook: 204 once it is on the phone, 401 where the signature is not ours.
async fn receive(
    State(inbox): State<Arc<Inbox>>,
    Path(phone): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !inbox.options.phones.iter().any(|p| p.id == phone) {
        return problem(StatusCode::NOT_FOUND, "no_such_phone", "There is no phone of this name.");
    }
    let Some(id) = inbox.verifier.verify(&headers, &body, now_ms() / 1000) else {
        return problem(StatusCode::UNAUTHORIZED, "bad_signature", "The signature or its time is not right.");
    };
    let Ok(event) = serde_json::from_slice::<Value>(&body) else {
        return problem(StatusCode::BAD_REQUEST, "bad_body", "The body is no JSON.");
    };
    inbox.enter(&phone, id, event);
    StatusCode::NO_CONTENT.into_response()
}

/// All messages, oldest first, and whose phones there are.
async fn messages(State(inbox): State<Arc<Inbox>>) -> Response {
    let messages: Vec<Entry> = inbox.entries().iter().cloned().collect();
    let body = json!({"run": inbox.run, "phones": inbox.options.phones, "console": inbox.options.console, "pin": PIN,
                      "utc_offset_min": inbox.options.utc_offset_min, "messages": messages});
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Every new message as it comes; `resync` where this page has missed some.
async fn events(State(inbox): State<Arc<Inbox>>) -> Response {
    let Ok(permit) = inbox.pages.clone().try_acquire_owned() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too_many_pages", "Too many pages follow already.");
    };
    let stream = BroadcastStream::new(inbox.news.subscribe()).map(move |news| {
        let _held_while_the_page_follows = &permit;
        event(news.ok())
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

fn event(entry: Option<Entry>) -> Result<Event, Infallible> {
    let message = entry.and_then(|entry| Event::default().event("message").json_data(entry).ok());
    Ok(message.unwrap_or_else(|| Event::default().event("resync").data("")))
}

/// What the person chose.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
}

/// The body that the gateway expects.
#[derive(Serialize)]
struct Said {
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<Value>,
    #[serde(flatten)]
    answer: Answer,
}

/// Hands an answer to the gateway, and the gateway's answer back.
async fn act(
    State(inbox): State<Arc<Inbox>>,
    Path((phone, alarm, action)): Path<(String, String, String)>,
    Json(answer): Json<Answer>,
) -> Response {
    let known = ["seen", "on-my-way", "on-site", "safe", "close"].contains(&action.as_str());
    let Some(phone) = inbox.options.phones.iter().find(|p| known && p.id == phone) else {
        return problem(StatusCode::NOT_FOUND, "no_such_action", "There is no such phone or action.");
    };
    match inbox.ask(phone, &alarm, &action, answer).await {
        Ok((status, body)) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => {
            problem(StatusCode::BAD_GATEWAY, "gateway_unreachable", &format!("The gateway does not answer: {error}"))
        }
    }
}

impl Inbox {
    /// Posts an answer with the revision that the alarm has at this moment (a phone answers the alarm, whatever rung it is on),
    /// and shows what was said on the phone, with the alarm as it stands after it.
    async fn ask(&self, by: &Phone, alarm: &str, action: &str, answer: Answer) -> Result<(StatusCode, String), String> {
        let before = self.look(by, alarm).await?;
        let said = serde_json::to_value(Said { revision: before.get("revision").cloned(), answer });
        let mut said = said.map_err(|e| e.to_string())?;
        let request = self.client.post(self.url(&["api", "v1", "alarms", alarm, action])?);
        // A thumb is not as quick as a test: two answers within a millisecond are two all the same.
        let key = format!("inbox-{}-{alarm}-{action}-{}", by.id, now_ms());
        let request = request.header("Idempotency-Key", key.as_str()).header(header::CONTENT_TYPE, "application/json");
        let (status, text) = self.call(by, request.body(said.to_string())).await?;
        if status.is_success() {
            let mut after = self.look(by, alarm).await.unwrap_or_else(|_| json!({}));
            after["id"] = alarm.into();
            said["by"] = by.id.as_str().into();
            said["action"] = action.into();
            said["next"] = after["next"].take();
            said["alarm"] = after;
            self.enter(&by.id, key, json!({"type": "inbox.answer", "data": said}));
        }
        Ok((status, text))
    }

    /// The alarm as the gateway shows it; an empty object where it does not.
    async fn look(&self, by: &Phone, alarm: &str) -> Result<Value, String> {
        let (status, text) = self.call(by, self.client.get(self.url(&["api", "v1", "alarms", alarm])?)).await?;
        let shown = serde_json::from_str::<Value>(&text).ok().filter(|v| status.is_success() && v.is_object());
        Ok(shown.unwrap_or_else(|| json!({})))
    }

    fn url(&self, path: &[&str]) -> Result<Url, String> {
        let mut url = self.api.clone();
        url.path_segments_mut().map_err(|()| "bad address".to_owned())?.pop_if_empty().extend(path);
        Ok(url)
    }

    async fn call(&self, by: &Phone, request: reqwest::RequestBuilder) -> Result<(StatusCode, String), String> {
        let bearer = bearer(by).ok_or("bad token")?;
        let request = request.header(header::AUTHORIZATION, bearer);
        let mut response = request.send().await.map_err(|e| e.without_url().to_string())?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| e.without_url().to_string())? {
            if (body.len() + chunk.len()) as u64 > MAX_ANSWER_BYTES {
                return Err("its answer is too long".to_owned());
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status(), String::from_utf8_lossy(&body).into_owned()))
    }
}

#[cfg(test)]
mod tests;
