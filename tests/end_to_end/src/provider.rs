use crate::{Port, Site, SitePlan, Synapse, SynapsePlan, network};

/// A whole provider: one Drawbridge process in front of a homeserver of its own.
#[derive(Debug)]
pub struct Provider {
    // Dropped in this order.
    /// Our process.
    pub site: Site,
    /// Its homeserver.
    pub synapse: Synapse,
    _appservice: Port,
}

/// A provider that is set up but not running.
struct Prepared {
    site: SitePlan,
    appservice: Port,
    homeserver: Port,
}

impl Provider {
    /// Starts two providers that know each other.
    #[track_caller]
    pub fn start_two(first: &str, second: &str) -> (Self, Self) {
        let (first, second) = (Prepared::new(first), Prepared::new(second));
        SitePlan::introduce(&first.site, &second.site);
        (first.start(), second.start())
    }

    /// How somebody elsewhere is called on its homeserver.
    pub fn puppet(&self, name: &str, domain: &str) -> String {
        format!("@_mimi_{name}=40{domain}:{}", self.site.domain())
    }
}

impl Prepared {
    #[track_caller]
    fn new(domain: &str) -> Self {
        let [appservice, homeserver] = std::array::from_fn(|_| Port::claim());
        let site = SitePlan::new(domain, &network::matrix(domain, &homeserver, &appservice));
        Self { site, appservice, homeserver }
    }

    #[track_caller]
    fn start(self) -> Provider {
        let plan = SynapsePlan::named(self.site.domain()).with_appservice(self.site.registration());
        let synapse = Synapse::start_on(self.homeserver, plan);
        Provider { site: self.site.start(), synapse, _appservice: self.appservice }
    }
}
