//! The options of one connection: address, names, limits, TLS.

use super::fault::Fault;
use super::{Settings, TlsFiles};
use crate::keeper::ports::Lane;
use rumqttc::{
    ConnectReturnCode, ConnectionError, MqttOptions, NetworkOptions, StateError, TlsConfiguration, Transport, mqttbytes,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

/// Above any sensible broker's limit: a message over it would come again at every connection, and block all behind it.
pub const MAX_PACKET_BYTES: usize = 16 << 20;
/// DNS, TCP, TLS and CONNACK together.
const CONNECT_TIMEOUT_S: u64 = 5;

/// Why the settings cannot work.
#[derive(Debug)]
pub enum BadSettings {
    /// The URL is not `mqtt://host[:port]` or `mqtts://host[:port]`.
    Url(&'static str),
    /// The client id or site is empty, or their session name is over 256 bytes or holds control characters.
    ClientId,
    /// A TLS file cannot be used.
    TlsFile(PathBuf, String),
    /// Certificate and key do not fit, or rustls refuses them.
    Tls(rustls::Error),
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadSettings::Url(why) => write!(f, "the broker's URL {why}; write mqtt://host:1883 or mqtts://host:8883"),
            BadSettings::ClientId => f.write_str("client id and site may not be empty, nor over 256 bytes together"),
            BadSettings::TlsFile(path, why) => {
                write!(f, "{} cannot be used ({why}); it must be a readable PEM file", path.display())
            }
            BadSettings::Tls(why) => write!(f, "the client certificate and its key cannot be used: {why}"),
        }
    }
}

impl std::error::Error for BadSettings {}

struct Address {
    tls: bool,
    host: String,
    port: u16,
}

fn address(url: &str) -> Result<Address, BadSettings> {
    let (tls, rest) = match url.split_once("://") {
        Some(("mqtt", rest)) => (false, rest),
        Some(("mqtts", rest)) => (true, rest),
        _ => return Err(BadSettings::Url("does not begin with mqtt:// or mqtts://")),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '@', '?', '#']) || rest.contains(char::is_whitespace) {
        return Err(BadSettings::Url("holds more than host and port (a login has its own keys)"));
    }
    let default = if tls { 8883 } else { 1883 };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| BadSettings::Url("has a port that is no number from 1 to 65535"))?)
        }
        _ => (rest, default),
    };
    match host {
        "" => Err(BadSettings::Url("has no host")),
        _ if port == 0 => Err(BadSettings::Url("has a port that is no number from 1 to 65535")),
        host if host.starts_with('[') && tls => {
            Err(BadSettings::Url("has an IPv6 literal, which TLS needs a name for"))
        }
        host if host.contains(':') && !host.starts_with('[') => {
            Err(BadSettings::Url("has an IPv6 literal without brackets"))
        }
        host => Ok(Address { tls, host: host.to_owned(), port }),
    }
}

/// The name of a lane's session at the broker.
pub fn session_name(settings: &Settings, lane: Lane) -> String {
    format!("{}-{}-{}", settings.client_id, settings.site, lane.name())
}

/// The options of a new connection of `lane`. Reads the TLS files.
pub fn options(settings: &Settings, lane: Lane) -> Result<MqttOptions, BadSettings> {
    let Address { tls, host, port } = address(&settings.url)?;
    let name = session_name(settings, lane);
    if settings.client_id.is_empty()
        || settings.site.is_empty()
        || name.len() > 256
        || name.chars().any(char::is_control)
    {
        return Err(BadSettings::ClientId);
    }
    let mut options = MqttOptions::new(name, host, port);
    options.set_keep_alive(Duration::from_secs(settings.keepalive_s.clamp(5, 15).into()));
    options.set_clean_session(false);
    options.set_manual_acks(true);
    options.set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
    if let Some((user, password)) = &settings.login {
        options.set_credentials(user, &password.0);
    }
    if tls {
        options.set_transport(Transport::Tls(TlsConfiguration::Rustls(Arc::new(client_config(&settings.tls)?))));
    }
    Ok(options)
}

/// Acknowledgements are small and must not wait for each other.
pub fn network() -> NetworkOptions {
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_TIMEOUT_S);
    network
}

fn client_config(files: &TlsFiles) -> Result<ClientConfig, BadSettings> {
    let mut roots = RootCertStore::empty();
    match &files.ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|why| BadSettings::TlsFile(path.clone(), why.to_string()))?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(BadSettings::Tls)?;
    let config = config.with_root_certificates(roots);
    match &files.client {
        None => Ok(config.with_no_client_auth()),
        Some((certificate, key)) => {
            let bad_key = |why: rustls::pki_types::pem::Error| BadSettings::TlsFile(key.clone(), why.to_string());
            let secret = PrivateKeyDer::from_pem_file(key).map_err(bad_key)?;
            config.with_client_auth_cert(certificates(certificate)?, secret).map_err(BadSettings::Tls)
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, BadSettings> {
    let bad = |why: String| BadSettings::TlsFile(path.to_owned(), why);
    let read = CertificateDer::pem_file_iter(path).and_then(|found| found.collect::<Result<Vec<_>, _>>());
    match read {
        Ok(found) if found.is_empty() => Err(bad("no certificate in it".to_owned())),
        Ok(found) => Ok(found),
        Err(why) => Err(bad(why.to_string())),
    }
}

/// The name of what rumqttc reports.
pub fn classify(error: ConnectionError) -> Fault {
    match error {
        ConnectionError::NetworkTimeout => Fault::Timeout,
        ConnectionError::FlushTimeout => Fault::Silent,
        ConnectionError::Tls(rumqttc::TlsError::Io(why)) => classify_io(why),
        ConnectionError::Tls(why) => Fault::Tls(why.to_string()),
        ConnectionError::Io(why) => classify_io(why),
        ConnectionError::ConnectionRefused(code) => match code {
            ConnectReturnCode::BadUserNamePassword => Fault::BadLogin,
            ConnectReturnCode::NotAuthorized => Fault::NotAuthorized,
            ConnectReturnCode::BadClientId => Fault::ClientIdRejected,
            ConnectReturnCode::ServiceUnavailable => Fault::BrokerUnavailable,
            ConnectReturnCode::RefusedProtocolVersion => Fault::WrongVersion,
            ConnectReturnCode::Success => Fault::Protocol("refused with success".to_owned()),
        },
        // Not the packet itself: it may hold a payload.
        ConnectionError::NotConnAck(_) => Fault::Protocol("no CONNACK at first".to_owned()),
        ConnectionError::RequestsDone => Fault::Stopped,
        ConnectionError::MqttState(state) => classify_state(state),
    }
}

/// The name of what a connection's state reports.
pub fn classify_state(error: StateError) -> Fault {
    match error {
        StateError::Io(why) | StateError::Deserialization(mqttbytes::Error::Io(why)) => classify_io(why),
        StateError::ConnectionAborted => Fault::Closed,
        StateError::AwaitPingResp => Fault::Silent,
        StateError::Deserialization(mqttbytes::Error::PayloadSizeLimitExceeded(bytes)) => Fault::TooLarge(bytes),
        other => Fault::Protocol(other.to_string()),
    }
}

fn classify_io(error: io::Error) -> Fault {
    use io::ErrorKind as Kind;
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        return Fault::Tls(error.to_string());
    }
    match error.kind() {
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => Fault::Closed,
        Kind::TimedOut => Fault::Silent,
        _ => Fault::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let good = [
            ("mqtt://broker", (false, "broker", 1883)),
            ("mqtt://broker:1884/", (false, "broker", 1884)),
            ("mqtts://broker.example", (true, "broker.example", 8883)),
            ("mqtt://[::1]:1885", (false, "[::1]", 1885)),
            ("mqtt://[::1]", (false, "[::1]", 1883)),
        ];
        for (url, (tls, host, port)) in good {
            let found = address(url).unwrap_or_else(|why| panic!("{url}: {why}"));
            assert_eq!((found.tls, found.host.as_str(), found.port), (tls, host, port), "{url}");
        }
        for bad in [
            "",
            "broker",
            "tcp://broker",
            "mqtt://",
            "mqtt://:1883",
            "mqtt://b:0",
            "mqtt://b:70000",
            "mqtt://b:x",
            "mqtt://u:p@b",
            "mqtt://b/path",
            "mqtts://[::1]",
            "mqtt://::1",
            "mqtt://a b",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
