//! One channel, ready for use: its address checked, its secrets read, its connections kept; and one exchange over it.

use super::address::{Forbidden, PublicOnly, is_public};
use super::classify::{Body, Ending, NoAnswer, classify};
use super::pump::Settings;
use crate::config::{Secret, Wrong};
use crate::engine::delivery::{Failure, Outcome};
use crate::engine::parcel::Parcel;
use crate::engine::registry::{Channel, Method};
use crate::wire::webhook::standard::BadSecret;
use crate::wire::webhook::{self, Desk, Keys, Unsendable, Verdict, judge, reads_refusals};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Proxy, Request, Response, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::{Instant, timeout_at};

/// How much of an answer's body is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The largest file of certificate authorities.
const MAX_CA_FILE_BYTES: u64 = 1024 * 1024;

/// Why a channel cannot be used as it is configured. The text is for the operator; it holds neither the URL nor a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    UrlReference(Wrong),
    UrlSyntax,
    Scheme,
    PlainHttp,
    PrivateAddress,
    SecretInTheOpen,
    SecretReference(Wrong),
    Secret(BadSecret),
    ProxyReference(Wrong),
    Proxy,
    Header(String),
    HeaderReference(String, Wrong),
    CaFile { path: String, why: String },
    Client(String),
}

impl Unfit {
    pub(super) fn failure(&self) -> Failure {
        match self {
            Unfit::PrivateAddress => Failure::AddressForbidden,
            _ => Failure::Misconfigured,
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::UrlReference(why) => write!(f, "url: {why}"),
            Unfit::UrlSyntax => f.write_str("url: this is no URL"),
            Unfit::Scheme => f.write_str("url: it has to begin with https://"),
            Unfit::PlainHttp => {
                f.write_str("url: http:// is for channels with allow_private = true only; use https://")
            }
            Unfit::PrivateAddress => {
                f.write_str("url: the address is private; if this is meant, set allow_private = true")
            }
            Unfit::SecretInTheOpen => f.write_str("secret: it has to be written as file:PATH or env:NAME"),
            Unfit::SecretReference(why) => write!(f, "secret: {why}"),
            Unfit::Secret(why) => write!(f, "secret: {why}"),
            Unfit::ProxyReference(why) => write!(f, "proxy: {why}"),
            Unfit::Proxy => f.write_str("proxy: it has to be http://HOST:PORT"),
            Unfit::Header(name) => write!(f, "template.headers: {name}: a header cannot hold this"),
            Unfit::HeaderReference(name, why) => write!(f, "template.headers: {name}: {why}"),
            Unfit::CaFile { path, why } => write!(f, "ca_file: {path}: {why}"),
            Unfit::Client(why) => write!(f, "the connection cannot be set up: {why}"),
        }
    }
}

impl Error for Unfit {}

/// A channel, ready for use.
pub(super) struct Line {
    url: Url,
    keys: Keys,
    /// Those of a template, secrets among them.
    headers: HeaderMap,
    /// Keeps connections for the next exchange.
    keeping: Client,
    /// Makes a new connection each time.
    fresh: Client,
    /// When the last answer came: a connection may be kept from then on.
    answered: Mutex<Option<Instant>>,
}

impl Line {
    /// Reads and checks everything a channel names. Blocks on files.
    pub(super) fn open(channel: &Channel, settings: &Settings) -> Result<Line, Unfit> {
        let url = url(channel, settings)?;
        let keys = keys(channel, settings)?;
        let headers = headers(channel, settings)?;
        let proxy = proxy(channel, settings)?;
        let tls = tls(channel.ca_file.as_deref())?;
        let client = |kept| client(channel, settings, proxy.clone(), tls.clone(), kept);
        let (keeping, fresh) = (client(usize::MAX)?, client(0)?);
        Ok(Line { url, keys, headers, keeping, fresh, answered: Mutex::new(None) })
    }

    /// One attempt, over by `deadline`. Where a robot refuses the signature, the next key of those that rotate signs within the same
    /// attempt.
    pub(super) async fn deliver(&self, parcel: &Parcel, settings: &Settings, deadline: Instant) -> Outcome {
        let mut outcome = Outcome::failed(Failure::Misconfigured);
        for turn in 0..self.keys.turns() {
            let verdict = self.ask(parcel, settings, turn, deadline).await;
            outcome = verdict.outcome;
            if !verdict.another_key {
                break;
            }
        }
        outcome
    }

    async fn ask(&self, parcel: &Parcel, settings: &Settings, turn: usize, deadline: Instant) -> Verdict {
        let by_status = |ending| Verdict { outcome: classify(ending, (settings.now)()), another_key: false };
        let request = match self.request(parcel, settings, turn) {
            Ok(request) => request,
            Err(why) => {
                tracing::warn!(channel = %parcel.channel.id, "the notice cannot be worded: {why}");
                return Verdict { outcome: Outcome::failed(Failure::Misconfigured), another_key: false };
            }
        };
        let answer = timeout_at(deadline, self.exchange(request, settings)).await.unwrap_or(Err(NoAnswer::TimedOut));
        let mut response = match answer {
            Ok(response) => response,
            Err(why) => return by_status(Ending::NoAnswer(why)),
        };
        let status = response.status();
        let mut text = Vec::new();
        let body = if status.is_success() || reads_refusals(parcel.channel.dialect) {
            timeout_at(deadline, read_body(&mut response, &mut text)).await.unwrap_or(Body::TimedOut)
        } else {
            Body::Unread
        };
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok());
        let by_status = by_status(Ending::Answer { status: status.as_u16(), retry_after, body });
        match body {
            Body::Whole => judge(&parcel.channel, status.as_u16(), &text).unwrap_or(by_status),
            _ => by_status,
        }
    }

    fn request(&self, parcel: &Parcel, settings: &Settings, turn: usize) -> Result<Request, Unsendable> {
        let nobody = Desk::default();
        let desk = settings.desks.get(&parcel.channel.site).unwrap_or(&nobody);
        let sending = webhook::sending(parcel, desk, &self.keys, turn, (settings.now)())?;
        let method = match sending.method {
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let mut url = self.url.clone();
        if !sending.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&sending.query);
        }
        let request = self.keeping.request(method, url).headers(self.headers.clone());
        let request = sending.headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        request.body(sending.body).build().map_err(|error| Unsendable(error.without_url().to_string()))
    }

    /// A receiver may close a kept connection in the very moment we use it, and the notice is lost without an answer. That says
    /// nothing about the receiver, so the same request goes out once more over a new connection, within the same attempt: should
    /// it have been read after all, `webhook-id` tells the receiver so. Only an answer leaves a connection to keep, so a receiver
    /// that never answers is asked once.
    async fn exchange(&self, request: Request, settings: &Settings) -> Result<Response, NoAnswer> {
        let again = if self.keeps_a_connection(settings) { request.try_clone() } else { None };
        match (self.keeping.execute(request).await.map_err(|e| no_answer(&e)), again) {
            (Err(NoAnswer::Broken), Some(again)) => self.fresh.execute(again).await.map_err(|e| no_answer(&e)),
            (result, _) => result,
        }
    }

    fn keeps_a_connection(&self, settings: &Settings) -> bool {
        let answered = *self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.is_some_and(|at| at.elapsed() <= settings.keep_idle)
    }
}

/// The channel's URL, allowed by scheme and, where it is an address literal, by address. The parser has by then brought every odd
/// spelling of an address (`2130706433`, `0x7f.1`) into its usual form.
fn url(channel: &Channel, settings: &Settings) -> Result<Url, Unfit> {
    let text =
        Secret::parse(&channel.url, &settings.secrets_dir).and_then(|s| s.resolve()).map_err(Unfit::UrlReference)?;
    let url = Url::parse(text.expose()).map_err(|_| Unfit::UrlSyntax)?;
    match url.scheme() {
        "https" => {}
        "http" if channel.allow_private => {}
        "http" => return Err(Unfit::PlainHttp),
        _ => return Err(Unfit::Scheme),
    }
    let host = url.host_str().ok_or(Unfit::UrlSyntax)?;
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match literal {
        Ok(address) if !channel.allow_private && !is_public(address) => Err(Unfit::PrivateAddress),
        _ => Ok(url),
    }
}

/// What the channel signs with.
fn keys(channel: &Channel, settings: &Settings) -> Result<Keys, Unfit> {
    if channel.secret.is_empty() {
        return Keys::parse(channel.dialect, None).map_err(Unfit::Secret);
    }
    let secret = Secret::parse(&channel.secret, &settings.secrets_dir).map_err(Unfit::SecretReference)?;
    if !secret.is_named() {
        return Err(Unfit::SecretInTheOpen);
    }
    let secret = secret.resolve().map_err(Unfit::SecretReference)?;
    Keys::parse(channel.dialect, Some(secret.expose())).map_err(Unfit::Secret)
}

/// The headers of a template. All of them may be secrets, so none is ever shown.
fn headers(channel: &Channel, settings: &Settings) -> Result<HeaderMap, Unfit> {
    let mut headers = HeaderMap::new();
    for (name, value) in channel.template.iter().flat_map(|template| &template.headers) {
        let value = Secret::parse(value, &settings.secrets_dir).and_then(|secret| secret.resolve());
        let value = value.map_err(|why| Unfit::HeaderReference(name.to_string(), why))?;
        let bad = || Unfit::Header(name.to_string());
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| bad())?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?, value);
    }
    Ok(headers)
}

/// The proxy on the way, where there is one. Its address may be private: it is the gateway's own.
fn proxy(channel: &Channel, settings: &Settings) -> Result<Option<Proxy>, Unfit> {
    let Some(proxy) = &channel.proxy else { return Ok(None) };
    let text = Secret::parse(proxy, &settings.secrets_dir).and_then(|s| s.resolve()).map_err(Unfit::ProxyReference)?;
    let url = Url::parse(text.expose()).ok().filter(|url| url.scheme() == "http" && url.has_host());
    url.and_then(|url| Proxy::all(url).ok()).map(Some).ok_or(Unfit::Proxy)
}

/// Trusts the authorities of the web and the channel's own. Built by hand, so that neither a missing bundle of the system nor a
/// missing default provider can get in the way.
fn tls(ca_file: Option<&str>) -> Result<rustls::ClientConfig, Unfit> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        let own = read_authorities(path).map_err(|why| Unfit::CaFile { path: path.to_owned(), why })?;
        for certificate in own {
            roots.add(certificate).map_err(|_| Unfit::CaFile {
                path: path.to_owned(),
                why: "a certificate in it is broken".to_owned(),
            })?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Unfit::Client(e.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn read_authorities(path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut pem = Vec::new();
    let file = File::open(path).map_err(|e| e.to_string())?;
    file.take(MAX_CA_FILE_BYTES).read_to_end(&mut pem).map_err(|e| e.to_string())?;
    let own: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    own.ok().filter(|own| !own.is_empty()).ok_or_else(|| "there is no certificate in PEM form in it".to_owned())
}

fn client(
    channel: &Channel,
    settings: &Settings,
    proxy: Option<Proxy>,
    tls: rustls::ClientConfig,
    kept: usize,
) -> Result<Client, Unfit> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(settings.keep_idle)
        .pool_max_idle_per_host(kept)
        .user_agent(concat!("hearthwatch/", env!("CARGO_PKG_VERSION")));
    // Behind a proxy it is the proxy that looks the receiver's name up; the one name that is looked up here is the proxy's own.
    let builder = match proxy {
        Some(proxy) => builder.proxy(proxy),
        None if channel.allow_private => builder,
        None => builder.dns_resolver(PublicOnly),
    };
    builder.build().map_err(|e| Unfit::Client(e.without_url().to_string()))
}

/// Says what reqwest's error means. The order matters: a lookup and a handshake fail as connections do.
fn no_answer(error: &reqwest::Error) -> NoAnswer {
    if has_cause::<Forbidden>(error) {
        NoAnswer::Forbidden
    } else if error.is_timeout() {
        NoAnswer::TimedOut
    } else if error.is_dns() {
        NoAnswer::NameNotFound
    } else if error.is_connect() && has_cause::<rustls::Error>(error) {
        NoAnswer::Handshake
    } else if error.is_connect() {
        NoAnswer::NotConnected
    } else {
        NoAnswer::Broken
    }
}

/// Looks for a cause of this type. An I/O error does not name what it wraps among its causes, so it is opened.
fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.is::<E>() {
            return true;
        }
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if wrapped.is_some_and(|inner| has_cause::<E>(inner)) {
            return true;
        }
        next = cause.source();
    }
    false
}

async fn read_body(response: &mut Response, text: &mut Vec<u8>) -> Body {
    loop {
        match response.chunk().await {
            Ok(None) => return Body::Whole,
            Err(_) => return Body::Cut,
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
        }
        if text.len() > MAX_ANSWER_BYTES {
            return Body::TooLarge;
        }
    }
}
