//! Two providers as operators run them: the released binary, and behind each a miniature chat network.

use std::fs;
use std::net::SocketAddr;

use end_to_end::{Port, Site, SitePlan};
use mimi_adapter_loopback::LoopbackClient;

use crate::fault::Outcome;

/// Two providers that know each other, started by the binary's own commands.
pub(crate) struct Sites {
    pub(crate) first: ChatSite,
    pub(crate) second: ChatSite,
}

/// A provider with a chat network.
pub(crate) struct ChatSite {
    pub(crate) domain: &'static str,
    pub(crate) site: Site,
    chat: Port,
}

impl Sites {
    /// Starts both, and waits until they are ready. What does not start panics, as in the tests of this ground.
    pub(crate) fn start() -> Self {
        let (first, second) = (Prepared::new("a.example"), Prepared::new("b.example"));
        SitePlan::introduce(&first.site, &second.site);
        Self { first: first.start(), second: second.start() }
    }
}

/// One that is set up but not running.
struct Prepared {
    domain: &'static str,
    site: SitePlan,
    chat: Port,
}

impl Prepared {
    fn new(domain: &'static str) -> Self {
        let chat = Port::claim();
        let network =
            format!("[network.chat]\nkind = \"loopback\"\nprimary = true\nlisten = \"{}\"\n", chat.address());
        Self { domain, site: SitePlan::new(domain, &network), chat }
    }

    fn start(self) -> ChatSite {
        ChatSite { domain: self.domain, site: self.site.start(), chat: self.chat }
    }
}

impl ChatSite {
    /// Somebody on its chat network.
    pub(crate) async fn person(&self, name: &str) -> Outcome<LoopbackClient> {
        Ok(LoopbackClient::connect(self.address(), name, "bench").await?)
    }

    /// How somebody here is called on the other one's network.
    pub(crate) fn puppet(&self, name: &str) -> String {
        format!("{name}@{}", self.domain)
    }

    /// Its process.
    pub(crate) fn process(&self) -> Outcome<u32> {
        Ok(self.site.process_id().ok_or("a provider of the run has ended")?)
    }

    /// What its process has in memory, in KiB.
    pub(crate) fn resident_kib(&self) -> Outcome<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process()?))?;
        Ok(resident_kib(&status).ok_or("/proc/<pid>/status does not read")?)
    }

    fn address(&self) -> SocketAddr {
        self.chat.address()
    }
}

fn resident_kib(status: &str) -> Option<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_has_in_memory_is_told_in_kibibytes() {
        assert_eq!(resident_kib("Name:\tx\nVmRSS:\t    1234 kB\nRssAnon:\t 7 kB\n"), Some(1234));
    }
}
