use std::{
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
};

use crate::limits::PORTS;

/// A loopback port nobody listens on, kept for its owner until dropped.
///
/// To bind, read the number and let go would leave a gap in which another test takes the same port. So the number is
/// held by a file lock as long as the `Port` lives: no two tests of this package ever hold the same one, and a server
/// finds it free again after a restart.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: File,
}

impl Port {
    /// Claims a free port.
    #[track_caller]
    pub fn claim() -> Self {
        let claims = std::env::temp_dir().join("drawbridge-ports");
        fs::create_dir_all(&claims).unwrap_or_else(|error| panic!("{}: {error}", claims.display()));
        let count = u64::from(PORTS.end - PORTS.start);
        let first = RandomState::new().hash_one(std::process::id()) % count;
        (0..count)
            .filter_map(|step| u16::try_from((first + step) % count).ok())
            .map(|offset| PORTS.start + offset)
            .find_map(|number| {
                let claim = File::create(claims.join(number.to_string())).ok()?;
                claim.try_lock().ok()?;
                TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
                Some(Self { number, _claim: claim })
            })
            .unwrap_or_else(|| panic!("no free port in {PORTS:?}"))
    }

    /// The number, on 127.0.0.1.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The address a server of this port listens on.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }

    /// Whether somebody accepts connections here now.
    pub fn is_answered(&self) -> bool {
        TcpStream::connect(self.address()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn two_ports_held_at_once_are_different_and_free() {
        let ports: Vec<Port> = (0..50).map(|_| Port::claim()).collect();

        let numbers: BTreeSet<u16> = ports.iter().map(Port::number).collect();

        assert_eq!(numbers.len(), 50);
        assert!(ports.iter().all(|port| TcpListener::bind(port.address()).is_ok()));
    }

    #[test]
    fn a_port_with_a_listener_is_answered_and_without_is_not() {
        let port = Port::claim();
        let before = port.is_answered();

        let listener = TcpListener::bind(port.address()).unwrap();
        let while_listening = port.is_answered();
        drop(listener);

        assert!(!before);
        assert!(while_listening);
        assert!(!port.is_answered());
    }
}
