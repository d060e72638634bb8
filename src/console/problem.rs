//! What went wrong, as an RFC 9457 problem document: named for programs, with the remedy for people.

use crate::engine::alarm::Refusal;
use crate::keeper::inbox::{Gone, NotTaken};
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A problem document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    status: StatusCode,
    reason: &'static str,
    detail: Cow<'static, str>,
    /// Members beyond those of the standard.
    more: Map<String, Value>,
    retry_after_s: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, reason: &'static str, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem { status, reason, detail: detail.into(), more: Map::new(), retry_after_s: None }
    }

    pub fn not_found(reason: &'static str, detail: &'static str) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, reason, detail)
    }

    pub fn unauthorized() -> Problem {
        let detail = "Sign in at /sign-in, or send a valid token: Authorization: Bearer …";
        Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", detail)
    }

    pub fn forbidden(reason: &'static str, detail: &'static str) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, reason, detail)
    }

    pub fn method_not_allowed() -> Problem {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This path has no such method; see /api/openapi.json.",
        )
    }

    /// What was sent is not what is expected.
    pub fn unfit(reason: &'static str, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, reason, detail)
    }

    pub fn unavailable(reason: &'static str, detail: &'static str) -> Problem {
        Problem { retry_after_s: Some(5), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason, detail) }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    pub fn retry_after(mut self, seconds: u64) -> Problem {
        self.retry_after_s = Some(seconds);
        self
    }

    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

/// What stands in a body, as JSON.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|e| Problem::unfit("bad_body", e.to_string()))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let status = match refusal {
            Refusal::NoSuchAlarm => StatusCode::NOT_FOUND,
            _ => StatusCode::CONFLICT,
        };
        let problem = Problem::new(status, refusal.name(), refusal.remedy());
        match refusal {
            Refusal::Stale { revision } => problem.with("revision", revision),
            _ => problem,
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Problem {
        Problem::new(rejection.status(), "bad_body", rejection.body_text())
    }
}

impl From<Gone> for Problem {
    fn from(_: Gone) -> Problem {
        Problem::unavailable(
            "keeper_gone",
            "The service is leaving or restarting; nothing was changed. Try again in a few seconds.",
        )
    }
}

impl From<NotTaken> for Problem {
    fn from(refusal: NotTaken) -> Problem {
        match refusal {
            NotTaken::DiskFull => {
                let detail = "The disk is full, and what is left of it is kept for calls for help; nothing was changed. Make room, then try again.";
                Problem::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail)
            }
            NotTaken::Gone => Gone.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut document = self.more;
        document.insert("type".into(), format!("urn:hearthwatch:problem:{}", self.reason).into());
        document.insert("title".into(), self.status.canonical_reason().unwrap_or("Problem").into());
        document.insert("status".into(), self.status.as_u16().into());
        document.insert("reason".into(), self.reason.into());
        document.insert("detail".into(), self.detail.into_owned().into());
        let mut response = Response::new(Body::from(Value::Object(document).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
