use std::sync::mpsc;
use std::time::Duration;

/// The runtime's time, standing still until it is told to go on, though sockets are real.
///
/// A paused runtime would jump to its next timer whenever it waits for a socket; while blocking work is under way it
/// does not, so as long as this lives there is some.
pub struct StandingTime {
    _work: mpsc::Sender<()>,
}

impl StandingTime {
    /// Stops the time of a runtime with one thread.
    pub fn stop() -> Self {
        tokio::time::pause();
        let (work, until_dropped) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || until_dropped.recv().is_ok());
        Self { _work: work }
    }

    /// Lets time pass.
    pub async fn pass(&self, time: Duration) {
        tokio::time::advance(time).await;
    }
}
