use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX};

/// How many connections each address has, before anything is known of who is behind it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place of a connection; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    /// A place for a connection from this address, unless it has too many, or all together have.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.all >= CONNECTIONS_MAX || here >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        taken.all += 1;
        taken.by_address.insert(address, here + 1);
        Some(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(here) = taken.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: an IPv4 address however it is written, the first 64 bits of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let places = Places::default();
        let here = IpAddr::from([192, 0, 2, 1]);

        let held: Vec<_> = (0..CONNECTIONS_PER_ADDRESS_MAX).map(|_| places.take(here).unwrap()).collect();

        assert!(places.take(here).is_none());
        assert!(places.take("::ffff:192.0.2.1".parse().unwrap()).is_none());
        assert!(places.take(IpAddr::from([192, 0, 2, 2])).is_some());
        drop(held);
        assert!(places.take(here).is_some());
        assert!(places.0.lock().unwrap().by_address.is_empty());
    }

    #[test]
    fn a_network_of_64_bits_is_one_address() {
        let places = Places::default();
        let in_network = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);

        let held: Vec<_> = (0..).map_while(|n| places.take(in_network(n))).collect();

        assert_eq!(held.len(), CONNECTIONS_PER_ADDRESS_MAX);
        assert!(places.take("2001:db8:0:2::1".parse().unwrap()).is_some());
    }

    #[test]
    fn all_addresses_together_have_so_many_places() {
        let places = Places::default();

        let held: Vec<_> =
            (0..=u32::MAX).map_while(|n| places.take(std::net::Ipv4Addr::from_bits(n).into())).collect();

        assert_eq!(held.len(), CONNECTIONS_MAX);
    }
}
