//! axum: pages, API, events, sign-in.
use tokio::sync::watch;
/// Serves until told to stop.
pub async fn serve(listener: tokio::net::TcpListener, router: axum::Router, mut stop: watch::Receiver<bool>) {
    let stopped = async move {
        let _ = stop.wait_for(|s| *s).await;
    };
    let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
}
