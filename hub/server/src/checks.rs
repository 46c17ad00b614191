//! The bounded pool on which handshakes are checked: pure computation, kept off the threads that serve connections.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

use crate::failure::{Failure, Fault};
use crate::limits::UPDATES_CHECKED_AT_ONCE_MAX;

pub(crate) struct Checks(Semaphore);

impl Default for Checks {
    fn default() -> Self {
        Self(Semaphore::new(UPDATES_CHECKED_AT_ONCE_MAX))
    }
}

impl Checks {
    /// Runs a check when there is a place for it.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        check: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Failure> {
        let _place = self.0.acquire().await.map_err(|closed| Failure::Fault(Fault::new(closed)))?;
        // On a runtime with one thread there is no other to be kept free, and a simulation wants no other.
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            return catch_unwind(AssertUnwindSafe(check))
                .map_err(|_| Failure::Fault(Fault::new("a check panicked")));
        }
        tokio::task::spawn_blocking(check).await.map_err(|fault| Failure::Fault(Fault::new(fault)))
    }
}
