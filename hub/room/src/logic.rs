use mimi_mls::{ComponentLogic, ComponentOperation, ComponentRefused};
use mimi_room_policy::{self as policy, ComponentId, apply_component};

/// The rules of MIMI's components, for MLS groups that carry them.
#[derive(Debug, Clone, Copy, Default)]
pub struct PolicyComponents;

impl ComponentLogic for PolicyComponents {
    fn apply(
        &self,
        component: u16,
        current: Option<&[u8]>,
        updates: &[ComponentOperation<'_>],
    ) -> Result<Option<Vec<u8>>, ComponentRefused> {
        let operations: Vec<_> = updates.iter().copied().map(operation).collect();
        apply_component(ComponentId(component), current, &operations)
            .map_err(|why| ComponentRefused::new(component, why.to_string()))
    }
}

/// The operation in the words of the policy.
pub(crate) fn operation(operation: ComponentOperation<'_>) -> policy::ComponentOperation<'_> {
    match operation {
        ComponentOperation::Update(update) => policy::ComponentOperation::Update(update),
        ComponentOperation::Remove => policy::ComponentOperation::Remove,
    }
}
