//! A loopback port of one test. A port that is merely free a moment ago may be taken a moment later, by another test or as the near end of
//! anybody's connection; this one is held, bound and not listening, for as long as the test needs it. Whoever is meant to listen on it sets
//! `SO_REUSEADDR` (std, tokio and mosquitto do) and so may, as often as it comes back; while nobody does, a connection is refused.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt};
use std::net::{Ipv4Addr, SocketAddr};

/// Nobody is given this port by chance before it is dropped.
pub struct Port {
    _held: OwnedFd,
    address: SocketAddr,
}

impl Port {
    /// A free port of 127.0.0.1.
    pub fn hold() -> Port {
        let held = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("a socket");
        sockopt::set_socket_reuseaddr(&held, true).expect("SO_REUSEADDR");
        bind(&held, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let address = getsockname(&held).expect("its address").try_into().expect("an internet address");
        Port { _held: held, address }
    }

    pub fn number(&self) -> u16 {
        self.address.port()
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
