//! Places at which a test ends the process, to see that nothing is lost there.
//!
//! A build with debug assertions reads the file that the environment variable [`FAIL_POINT_FILE`] names: `batch.sent 3`
//! in it ends the process when it passes the point `batch.sent` the third time from then on. A release build has neither
//! the points nor the variable.

/// The environment variable that names the file with the point to die at.
pub const FAIL_POINT_FILE: &str = "DRAWBRIDGE_FAIL_POINT_FILE";

/// A named place, before or behind something durable; here the process ends, as by a kill -9, if a test asks for it.
#[inline]
pub fn fail_point(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::pass(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod armed {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::{Mutex, OnceLock, PoisonError};

    use rustix::process::{Signal, getpid, kill_process};

    /// None in a process that nobody wants to kill, which is every other one.
    static PLAN: OnceLock<Option<Mutex<Plan>>> = OnceLock::new();

    struct Plan {
        file: PathBuf,
        /// What the file said when it was last read.
        wish: String,
        /// How often the wished point was passed since.
        passed: u32,
    }

    pub(super) fn pass(name: &str) {
        let plan = PLAN.get_or_init(|| {
            let file = std::env::var_os(super::FAIL_POINT_FILE)?.into();
            Some(Mutex::new(Plan { file, wish: String::new(), passed: 0 }))
        });
        let Some(plan) = plan else { return };
        if plan.lock().unwrap_or_else(PoisonError::into_inner).ends_at(name) {
            // No destructor, no flush, no answer: nothing of ours runs behind this.
            kill_process(getpid(), Signal::KILL).ok();
            std::process::abort();
        }
    }

    impl Plan {
        fn ends_at(&mut self, name: &str) -> bool {
            let wish = fs::read_to_string(&self.file).unwrap_or_default();
            if wish != self.wish {
                (self.wish, self.passed) = (wish, 0);
            }
            let Some((point, nth)) = self.wish.split_once(' ') else { return false };
            self.passed += u32::from(point == name);
            point == name && nth.trim_end().parse().is_ok_and(|nth: u32| self.passed >= nth)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_wished_point_is_counted_from_when_it_was_wished() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("wish");
            let mut plan = Plan { file: file.clone(), wish: String::new(), passed: 0 };

            let mut ends = vec![plan.ends_at("a")];
            fs::write(&file, "a 2\n").unwrap();
            ends.extend(["a", "b", "a"].map(|name| plan.ends_at(name)));
            fs::write(&file, "b 1").unwrap();
            ends.extend(["a", "b"].map(|name| plan.ends_at(name)));

            assert_eq!(ends, [false, false, false, true, false, true]);
        }
    }
}
