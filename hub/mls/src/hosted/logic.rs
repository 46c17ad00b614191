//! How a commit's component updates become the components of the next epoch.

use openmls::component::ComponentData;
use openmls::group::{AppDataDictionaryUpdater, AppDataUpdates};
use openmls::prelude::{AppDataUpdateOperation, AppDataUpdateProposal};
use serde::{Deserialize, Serialize};

use super::secret::Bytes;
use crate::components::{ComponentLogic, ComponentOperation, ComponentOperations, ComponentRefused};

/// The outcome of a commit's `AppDataUpdate` proposals: per component its next value, or that it is gone.
///
/// It is kept beside retained commits, so that they can be replayed without asking the components' rules again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ComponentChanges(Vec<(u16, Option<Bytes>)>);

impl ComponentChanges {
    /// Asks `logic` what `proposals` make of the components that `updater` knows.
    ///
    /// openmls does not check what the extensions draft demands of a component's updates taken together;
    /// [`ComponentOperations::collect`] does.
    pub(super) fn resolve<'p>(
        logic: &dyn ComponentLogic,
        updater: &AppDataDictionaryUpdater<'_>,
        proposals: impl Iterator<Item = &'p AppDataUpdateProposal>,
    ) -> Result<Self, ComponentRefused> {
        let operations = proposals.map(|proposal| {
            let operation = match proposal.operation() {
                AppDataUpdateOperation::Update(update) => ComponentOperation::Update(update.as_slice()),
                AppDataUpdateOperation::Remove => ComponentOperation::Remove,
            };
            (proposal.component_id(), operation)
        });
        let operations =
            ComponentOperations::collect(operations, |component| updater.old_value(component).is_some())?;
        let changes =
            operations.resolve(logic, |component| updater.old_value(component).map(<[u8]>::to_vec))?;
        Ok(Self(changes.into_iter().map(|(component, next)| (component, next.map(Bytes))).collect()))
    }

    /// The changes in the form openmls stages them.
    pub(super) fn updates(&self, mut updater: AppDataDictionaryUpdater<'_>) -> Option<AppDataUpdates> {
        for (component, next) in &self.0 {
            match next {
                Some(next) => updater.set(ComponentData::from_parts(*component, next.0.clone().into())),
                None => updater.remove(component),
            }
        }
        updater.changes()
    }

    /// The components that were updated, in ascending order.
    pub(super) fn components(&self) -> Vec<u16> {
        self.0.iter().map(|(component, _)| *component).collect()
    }
}
