//! Two providers on this machine, made as an operator would make them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use mimi_transport::PeeringAuthority;
use mimi_uri::Domain;

use super::Broke;
use super::limits::{PORTS, PORTS_PER_DEMO};
use crate::config::Template;
use crate::{init, peer};

/// Both providers' folders.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) a: Place,
    pub(super) b: Place,
}

/// Where a provider is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) domain: Domain,
    pub(super) folder: PathBuf,
    /// Where other providers reach it.
    pub(super) listen: SocketAddr,
    /// Where its native network is.
    pub(super) chat: SocketAddr,
}

impl Stage {
    /// Makes keys and configurations, and lets each pin the other's root.
    pub(super) fn build(folder: &Path) -> Result<Self, Broke> {
        let free = free_addresses().ok_or_else(|| "no free ports on 127.0.0.1".to_owned())?;
        let a = Place::make(folder, "a.example", &free[..3])?;
        let b = Place::make(folder, "b.example", &free[3..])?;
        peer::append(&a.config(), &b.domain, &b.root(), Some(b.listen))?;
        peer::append(&b.config(), &a.domain, &a.root(), Some(a.listen))?;
        Ok(Self { a, b })
    }

    /// Gives b.example a certificate of its name by an authority that nobody pinned.
    pub(super) fn break_certificate(&self) -> Result<(), Broke> {
        let strange = PeeringAuthority::generate(&self.b.domain).map_err(|fault| fault.to_string())?;
        let keys = self.b.folder.join("keys");
        fs::write(keys.join("provider.pem"), strange.chain)
            .and_then(|()| fs::write(keys.join("provider.key"), strange.key))
            .map_err(|fault| format!("{}: {fault}", keys.display()))
    }

    /// Both.
    pub(super) fn places(&self) -> [&Place; 2] {
        [&self.a, &self.b]
    }
}

impl Place {
    fn make(folder: &Path, domain: &str, free: &[SocketAddr]) -> Result<Self, Broke> {
        let domain = Domain::parse(domain).map_err(|why| why.to_string())?;
        let folder = folder.join(domain.as_str());
        fs::create_dir(&folder).map_err(|fault| format!("{}: {fault}", folder.display()))?;
        let mut template = Template::new(&domain);
        (template.listen, template.operator, template.chat) = (free[0], free[1], free[2]);
        let place = Self { folder, listen: free[0], chat: free[2], domain };
        init::make(&place.config(), &place.domain, &template)?;
        Ok(place)
    }

    /// Its configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("drawbridge.toml")
    }

    /// Its database.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.join("drawbridge.db")
    }

    fn root(&self) -> PathBuf {
        self.folder.join("keys/provider-root.pem")
    }
}

/// Addresses that nobody listens on. Processes that run at the same time look in different places, and none where the
/// system takes the ports of outgoing connections from: so nobody takes them before the providers do.
fn free_addresses() -> Option<Vec<SocketAddr>> {
    let blocks = (PORTS.end - PORTS.start) / PORTS_PER_DEMO;
    let first = u16::try_from(std::process::id() % u32::from(blocks)).ok()?;
    let starts = (0..blocks).map(|step| PORTS.start + (first + step) % blocks * PORTS_PER_DEMO);
    starts.map(|start| (start..start + PORTS_PER_DEMO).map(free_address)).find_map(Iterator::collect)
}

fn free_address(port: u16) -> Option<SocketAddr> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).ok().map(|_| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_not_given_out() {
        let taken = free_addresses().unwrap();
        let _listener = TcpListener::bind(taken[2]).unwrap();

        let free = free_addresses().unwrap();

        assert_eq!(free.len(), usize::from(PORTS_PER_DEMO));
        assert!(free.iter().all(|address| !taken.contains(address)));
    }
}
