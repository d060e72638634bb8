//! Names for what can go wrong with a session, and what it reports. No secrets in any of them.

use std::fmt;

/// Why a connection ended, or never began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No connection to the address: refused, no route, no such name.
    Unreachable(String),
    /// The connection was not ready within five seconds.
    Timeout,
    /// The TLS handshake failed, or our certificate files cannot be used.
    Tls(String),
    BadLogin,
    NotAuthorized,
    ClientIdRejected,
    BrokerUnavailable,
    /// The broker does not speak MQTT 3.1.1.
    WrongVersion,
    /// The broker closed the connection.
    Closed,
    /// The broker stopped answering pings, or stopped reading.
    Silent,
    /// A SUBSCRIBE or UNSUBSCRIBE was not answered in time.
    Unanswered,
    /// A message of this many bytes is over our limit. It comes again at each connection, and all behind it waits.
    TooLarge(usize),
    /// The broker sent what MQTT does not allow.
    Protocol(String),
    /// We left.
    Stopped,
}

impl Fault {
    /// One word for metrics and rate limits; a bounded set.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Unreachable(_) => "unreachable",
            Fault::Timeout => "timeout",
            Fault::Tls(_) => "tls",
            Fault::BadLogin => "bad_login",
            Fault::NotAuthorized => "not_authorized",
            Fault::ClientIdRejected => "client_id_rejected",
            Fault::BrokerUnavailable => "broker_unavailable",
            Fault::WrongVersion => "wrong_version",
            Fault::Closed => "closed",
            Fault::Silent => "silent",
            Fault::Unanswered => "unanswered",
            Fault::TooLarge(_) => "too_large",
            Fault::Protocol(_) => "protocol",
            Fault::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unreachable(why) => {
                write!(f, "the broker cannot be reached ({why}); is it running, and is the URL right?")
            }
            Fault::Timeout => f.write_str("the broker did not complete the connection within 5 s"),
            Fault::Tls(why) => {
                write!(f, "TLS failed ({why}); check the CA file, the client certificate and the host name in the URL")
            }
            Fault::BadLogin => f.write_str("the broker refused user or password"),
            Fault::NotAuthorized => {
                f.write_str("the broker says this user is not authorized; check user, password and the broker's ACL")
            }
            Fault::ClientIdRejected => f.write_str("the broker refused the client id"),
            Fault::BrokerUnavailable => f.write_str("the broker says it is unavailable"),
            Fault::WrongVersion => f.write_str("the broker does not accept MQTT 3.1.1"),
            Fault::Closed => f.write_str("the broker closed the connection"),
            Fault::Silent => f.write_str("the broker stopped answering"),
            Fault::Unanswered => f.write_str("the broker did not answer a subscription within 10 s"),
            Fault::TooLarge(bytes) => {
                write!(f, "a message of {bytes} bytes is over our limit; set message_size_limit of the broker below it")
            }
            Fault::Protocol(what) => write!(f, "the broker broke the protocol ({what})"),
            Fault::Stopped => f.write_str("the gateway ended the session"),
        }
    }
}

/// What a session has to say to the operator. Each comes once per state, or at most once a minute: it may be logged as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Subscribed to everything asked for, after the start or after a reported break.
    Ready {
        filters: usize,
        session_present: bool,
    },
    Broken(Fault),
    /// The broker no longer had our session: what it queued while we were away is lost.
    SessionLost,
    /// Filters that the broker refused, or that are none. They are asked for again every 30 s.
    Refused {
        filters: usize,
        first: String,
    },
    /// Connections are accepted and end within seconds, again and again: most likely a second client with our id.
    Flapping {
        breaks: u32,
    },
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Ready { filters, session_present: true } => {
                write!(f, "subscribed ({filters} filters), session resumed")
            }
            Report::Ready { filters, session_present: false } => {
                write!(f, "subscribed ({filters} filters), new session")
            }
            Report::Broken(fault) => fault.fmt(f),
            Report::SessionLost => f.write_str(
                "the broker has lost our session: messages queued while we were away are gone; check its persistence",
            ),
            Report::Refused { filters, first } => {
                write!(
                    f,
                    "{filters} filters are refused, the first is {first}; check the broker's ACL and the device addresses"
                )
            }
            Report::Flapping { breaks } => {
                write!(
                    f,
                    "{breaks} connections in a row ended right after they were accepted; is another client using our client id?"
                )
            }
        }
    }
}
