//! The SafeAAD: clear, authenticated data of several components in one field (MLS extensions draft, Safe AAD).

use crate::tls::{Reading, put_vector, whole};

/// The `authenticated_data` of every message in a room whose dictionary has component `safe_aad` (EM6).
///
/// Components are strictly ascending, and nothing follows the last of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SafeAad(Vec<SafeAadItem>);

/// What one component says in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeAadItem {
    /// The component.
    pub component: u16,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// Bytes that are no SafeAAD, or items that make none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSafeAad {
    /// The bytes are cut short, too long, or a length is not minimal.
    #[error("the authenticated data is not a SafeAAD")]
    Malformed,
    /// A component comes twice, or after a higher one.
    #[error("component {0:#06x} is out of order in the SafeAAD")]
    OutOfOrder(u16),
}

impl SafeAad {
    /// The SafeAAD with these items, which may come in any order.
    pub fn new(mut items: Vec<SafeAadItem>) -> Result<Self, InvalidSafeAad> {
        items.sort_by_key(|item| item.component);
        ascending(&items)?;
        Ok(Self(items))
    }

    /// Reads a whole `authenticated_data`.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidSafeAad> {
        let items = whole(bytes, |reading| reading.list(read_item)).ok_or(InvalidSafeAad::Malformed)?;
        ascending(&items)?;
        Ok(Self(items))
    }

    /// The bytes for `authenticated_data`.
    pub fn encode(&self) -> Vec<u8> {
        let mut items = Vec::new();
        for item in &self.0 {
            items.extend_from_slice(&item.component.to_be_bytes());
            put_vector(&mut items, &item.data);
        }
        crate::tls::vector(&items)
    }

    /// What `component` says, if it says anything.
    pub fn item(&self, component: u16) -> Option<&[u8]> {
        let place = self.0.binary_search_by_key(&component, |item| item.component).ok()?;
        self.0.get(place).map(|item| item.data.as_slice())
    }

    /// All items, ascending by component.
    pub fn items(&self) -> &[SafeAadItem] {
        &self.0
    }
}

fn read_item(reading: &mut Reading<'_>) -> Option<SafeAadItem> {
    let component = reading.number16()?;
    let data = reading.vector()?.to_vec();
    Some(SafeAadItem { component, data })
}

/// EM6: "ordered … with no duplicates".
fn ascending(items: &[SafeAadItem]) -> Result<(), InvalidSafeAad> {
    for (before, item) in items.iter().zip(items.iter().skip(1)) {
        if item.component <= before.component {
            return Err(InvalidSafeAad::OutOfOrder(item.component));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{InvalidSafeAad, SafeAad, SafeAadItem};

    fn item(component: u16, data: &[u8]) -> SafeAadItem {
        SafeAadItem { component, data: data.to_vec() }
    }

    #[test]
    fn items_come_back_by_component() {
        let safe_aad = SafeAad::new(vec![item(0x40, b"id"), item(0x20, b"tag")]).unwrap();

        let read = SafeAad::decode(&safe_aad.encode()).unwrap();

        assert_eq!(safe_aad.encode(), [11, 0, 0x20, 3, b't', b'a', b'g', 0, 0x40, 2, b'i', b'd']);
        assert_eq!(read.item(0x20), Some(b"tag".as_slice()));
        assert_eq!(read.item(0x21), None);
    }

    #[test]
    fn the_empty_safe_aad_is_one_zero_byte() {
        assert_eq!(SafeAad::default().encode(), [0]);
        assert_eq!(SafeAad::decode(&[0]), Ok(SafeAad::default()));
        assert_eq!(SafeAad::decode(&[]), Err(InvalidSafeAad::Malformed));
    }

    #[test]
    fn em6_components_are_strictly_ascending() {
        assert_eq!(SafeAad::decode(&[6, 0, 2, 0, 0, 1, 0]), Err(InvalidSafeAad::OutOfOrder(1)));
        assert_eq!(SafeAad::decode(&[6, 0, 2, 0, 0, 2, 0]), Err(InvalidSafeAad::OutOfOrder(2)));
        assert_eq!(SafeAad::new(vec![item(2, b""), item(2, b"")]), Err(InvalidSafeAad::OutOfOrder(2)));
    }

    #[test]
    fn em6_nothing_follows_the_last_item() {
        assert_eq!(SafeAad::decode(&[3, 0, 2, 0, 9]), Err(InvalidSafeAad::Malformed));
        assert_eq!(SafeAad::decode(&[4, 0, 2, 1]), Err(InvalidSafeAad::Malformed));
    }
}
