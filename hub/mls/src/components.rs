//! The application's components in a group's dictionary (MLS extensions draft, Application Data).
//!
//! openmls carries the dictionary and the proposals that change it, but checks little of what the draft demands of them
//! taken together. That is done here, for hubs and members alike.

use std::collections::BTreeMap;

use crate::tls::{Reading, put_vector, whole};

/// Component `app_components`: what a leaf supports, or a group requires.
pub const APP_COMPONENTS: u16 = 0x0001;
/// Component `safe_aad`: its presence in a group makes every `authenticated_data` a SafeAAD.
pub const SAFE_AAD: u16 = 0x0002;
/// Component `content_media_types`: its presence in a group makes every application message framed content.
pub const CONTENT_MEDIA_TYPES: u16 = 0x0003;
/// Component `last_resort_key_package`, in a KeyPackage.
pub const LAST_RESORT_KEY_PACKAGE: u16 = 0x0004;
/// Component `frank_aad`: the franking tag in a SafeAAD.
pub const FRANK_AAD: u16 = 0x0020;
/// Component *bridged* of a hosted user's leaf, private to Drawbridge: network and operator.
pub const BRIDGED: u16 = 0x8d00;

/// The components of MIMI's rooms, `franking_agent` to `message_expiration_policy`, and those they stand on.
pub const MIMI_COMPONENTS: [u16; 20] = [
    APP_COMPONENTS,
    SAFE_AAD,
    CONTENT_MEDIA_TYPES,
    FRANK_AAD,
    0x0021,
    0x0022,
    0x0023,
    0x0024,
    0x0025,
    0x0026,
    0x0027,
    0x0028,
    0x0029,
    0x002a,
    0x002b,
    0x002c,
    0x002d,
    0x002e,
    0x002f,
    0x0030,
];

/// What becomes of each component that a commit touches: its next value, or nothing.
pub(crate) type ComponentChanges = Vec<(u16, Option<Vec<u8>>)>;

/// A component's rules, given from outside: what its updates mean is not MLS's business.
pub trait ComponentLogic {
    /// The component's next value after `updates`, in the order of the commit; none if it is gone.
    ///
    /// `current` is its value before. The updates are one removal, or updates alone; an unknown component is refused.
    fn apply(
        &self,
        component: u16,
        current: Option<&[u8]>,
        updates: &[ComponentOperation<'_>],
    ) -> Result<Option<Vec<u8>>, ComponentRefused>;
}

/// What an `AppDataUpdate` proposal asks of its component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentOperation<'a> {
    /// To take this update, in the component's own format.
    Update(&'a [u8]),
    /// To go.
    Remove,
}

/// A component's rules say no; the whole list of proposals is invalid then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("component {component:#06x}: {why}")]
pub struct ComponentRefused {
    /// The component.
    pub component: u16,
    /// Why, for a log or a peer's developer.
    pub why: String,
}

impl ComponentRefused {
    /// A refusal with its reason.
    pub fn new(component: u16, why: impl Into<String>) -> Self {
        Self { component, why: why.into() }
    }
}

/// The updates of each component in the order of the commit; components ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentOperations<'a>(BTreeMap<u16, Vec<ComponentOperation<'a>>>);

impl<'a> ComponentOperations<'a> {
    /// Groups operations by component.
    ///
    /// EM2: a component is either removed once or updated. EM3: what is removed must be there; `present` says whether.
    pub fn collect(
        operations: impl IntoIterator<Item = (u16, ComponentOperation<'a>)>,
        present: impl Fn(u16) -> bool,
    ) -> Result<Self, ComponentRefused> {
        let mut grouped: BTreeMap<u16, Vec<ComponentOperation<'a>>> = BTreeMap::new();
        for (component, operation) in operations {
            grouped.entry(component).or_default().push(operation);
        }
        for (component, operations) in &grouped {
            if !operations.contains(&ComponentOperation::Remove) {
                continue;
            }
            if operations.len() > 1 {
                return Err(ComponentRefused::new(*component, "a removal stands beside another update"));
            }
            if !present(*component) {
                return Err(ComponentRefused::new(*component, "the component to be removed is not there"));
            }
        }
        Ok(Self(grouped))
    }

    /// Component by component.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &[ComponentOperation<'a>])> {
        self.0.iter().map(|(component, operations)| (*component, operations.as_slice()))
    }

    /// Whether no component is touched.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks `logic` what becomes of each component.
    pub fn resolve(
        &self,
        logic: &dyn ComponentLogic,
        current: impl Fn(u16) -> Option<Vec<u8>>,
    ) -> Result<ComponentChanges, ComponentRefused> {
        self.iter()
            .map(|(component, operations)| {
                let next = logic.apply(component, current(component).as_deref(), operations)?;
                Ok((component, next))
            })
            .collect()
    }
}

/// The `AppDataDictionary`: components in strictly ascending order, each with its bytes (EM1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dictionary(BTreeMap<u16, Vec<u8>>);

impl Dictionary {
    /// Reads the data of an `app_data_dictionary` extension; EM1: sorted, no component twice.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let entries = whole(bytes, |reading| reading.list(read_entry))?;
        let ascending = entries.iter().zip(entries.iter().skip(1)).all(|(before, entry)| before.0 < entry.0);
        ascending.then(|| Self(entries.into_iter().collect()))
    }

    /// The data of an `app_data_dictionary` extension.
    pub fn encode(&self) -> Vec<u8> {
        let mut entries = Vec::new();
        for (component, data) in &self.0 {
            entries.extend_from_slice(&component.to_be_bytes());
            put_vector(&mut entries, data);
        }
        crate::tls::vector(&entries)
    }

    /// A component's bytes.
    pub fn component(&self, component: u16) -> Option<&[u8]> {
        self.0.get(&component).map(Vec::as_slice)
    }

    /// All components, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &[u8])> {
        self.0.iter().map(|(component, data)| (*component, data.as_slice()))
    }
}

impl FromIterator<(u16, Vec<u8>)> for Dictionary {
    fn from_iter<T: IntoIterator<Item = (u16, Vec<u8>)>>(entries: T) -> Self {
        Self(entries.into_iter().collect())
    }
}

fn read_entry(reading: &mut Reading<'_>) -> Option<(u16, Vec<u8>)> {
    Some((reading.number16()?, reading.vector()?.to_vec()))
}

/// A `ComponentsList`: the value of `app_components` and `safe_aad`.
pub fn encode_component_list(components: &[u16]) -> Vec<u8> {
    let bytes: Vec<u8> = components.iter().flat_map(|component| component.to_be_bytes()).collect();
    crate::tls::vector(&bytes)
}

/// Reads a `ComponentsList`.
pub fn decode_component_list(bytes: &[u8]) -> Option<Vec<u16>> {
    whole(bytes, Reading::numbers16)
}

#[cfg(test)]
mod tests {
    use super::{
        ComponentOperation, ComponentOperations, Dictionary, decode_component_list, encode_component_list,
    };

    const UPDATE: ComponentOperation<'_> = ComponentOperation::Update(b"new");
    const REMOVE: ComponentOperation<'_> = ComponentOperation::Remove;

    fn collect(operations: &[(u16, ComponentOperation<'static>)]) -> Result<usize, String> {
        let collected = ComponentOperations::collect(operations.iter().copied(), |component| component == 1);
        collected.map(|collected| collected.iter().count()).map_err(|refused| refused.to_string())
    }

    #[test]
    fn em1_a_dictionary_is_sorted_and_names_no_component_twice() {
        assert!(Dictionary::decode(&[6, 0, 1, 0, 0, 2, 0]).is_some());
        assert!(Dictionary::decode(&[6, 0, 2, 0, 0, 1, 0]).is_none());
        assert!(Dictionary::decode(&[6, 0, 1, 0, 0, 1, 0]).is_none());
        assert!(Dictionary::decode(&[3, 0, 1, 0, 0]).is_none());
    }

    #[test]
    fn em2_a_component_is_removed_once_or_updated() {
        assert_eq!(collect(&[(1, UPDATE), (1, UPDATE), (2, UPDATE)]), Ok(2));
        assert_eq!(collect(&[(1, REMOVE)]), Ok(1));
        let beside = "component 0x0001: a removal stands beside another update".to_owned();
        assert_eq!(collect(&[(1, REMOVE), (1, REMOVE)]), Err(beside.clone()));
        assert_eq!(collect(&[(1, UPDATE), (1, REMOVE)]), Err(beside));
    }

    #[test]
    fn em3_what_is_removed_must_be_there() {
        let absent = "component 0x0002: the component to be removed is not there".to_owned();
        assert_eq!(collect(&[(2, REMOVE)]), Err(absent));
    }

    #[test]
    fn component_lists_are_vectors_of_numbers() {
        assert_eq!(encode_component_list(&[0x20, 0x40]), [4, 0, 0x20, 0, 0x40]);
        assert_eq!(decode_component_list(&[4, 0, 0x20, 0, 0x40]), Some(vec![0x20, 0x40]));
    }
}
