//! axum: pages, API, events, sign-in.
