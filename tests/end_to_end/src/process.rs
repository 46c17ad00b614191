use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    Port,
    limits::{GLANCE, LOG_LINES_SHOWN, PATIENCE},
};

/// How a program is started: the same way each time.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    directory: PathBuf,
}

impl Launch {
    /// `program`, to be run in `directory`.
    pub fn new(program: impl Into<PathBuf>, directory: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Vec::new(), directory: directory.into() }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Runs the program to its end and returns what it printed; that it succeeds is asserted.
    #[track_caller]
    pub fn run(&self) -> String {
        let output = self.command().stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?}: {}\n{errors}", self.args, output.status);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The command, for a test that wants more of it than [`Launch::run`] or a [`Process`] gives.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().cloned()).current_dir(&self.directory);
        command
    }
}

/// A program that was started here, and is stopped here: by its own id, at the latest when dropped.
///
/// What it prints is appended to `<name>.log` in its directory, over all its lives; a failing test shows the end of it.
#[derive(Debug)]
pub struct Process {
    launch: Launch,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Starts it. It runs, but need not be ready: see [`Process::wait_until_answering`].
    #[track_caller]
    pub fn start(name: &str, launch: Launch) -> Self {
        let log = launch.directory.join(format!("{name}.log"));
        let mut process = Self { launch, log, child: None };
        process.start_again();
        process
    }

    /// Starts it once more after [`Process::stop`], [`Process::kill`] or an end of its own.
    #[track_caller]
    pub fn start_again(&mut self) {
        assert!(!self.is_running(), "{} runs already", self.launch.program.display());
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.unwrap_or_else(|error| panic!("{}: {error}", self.log.display()));
        let errors = log.try_clone().unwrap_or_else(|error| panic!("{}: {error}", self.log.display()));
        let spawned = self.launch.command().stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        self.child =
            Some(spawned.unwrap_or_else(|error| panic!("{}: {error}", self.launch.program.display())));
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        let child = self.child.as_mut().unwrap_or_else(|| panic!("{} has ended", self.log.display()));
        let id = Pid::from_child(child);
        kill_process(id, Signal::TERM).unwrap_or_else(|error| panic!("SIGTERM to {id:?}: {error}"));
        let started = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => {
                    self.child = None;
                    return status;
                }
                Ok(None) => thread::park_timeout(GLANCE),
                Err(error) => panic!("waiting for {}: {error}", self.log.display()),
            }
            assert!(started.elapsed() < PATIENCE, "{} does not stop", self.log.display());
        }
    }

    /// Ends it as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only for a child that has already ended, which is what was wanted.
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// Its process id; none once it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Waits until it accepts connections on `port`.
    #[track_caller]
    pub fn wait_until_answering(&mut self, port: &Port) {
        self.wait_until("accept connections", || port.is_answered());
    }

    /// Waits until its log has a line with `words`, in this life or an earlier one.
    #[track_caller]
    pub fn wait_until_it_says(&mut self, words: &str) {
        let log = self.log.clone();
        self.wait_until(words, || fs::read_to_string(&log).is_ok_and(|text| text.contains(words)));
    }

    /// Waits until `sign` is seen, while the program runs.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, sign: impl Fn() -> bool) {
        let started = Instant::now();
        while !sign() {
            assert!(self.is_running(), "{} ended before it did: {what}", self.log.display());
            assert!(started.elapsed() < PATIENCE, "{} did not in {PATIENCE:?}: {what}", self.log.display());
            thread::park_timeout(GLANCE);
        }
    }

    /// Where its output goes.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// What it has printed in all its lives.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), last_lines(&self.log(), LOG_LINES_SHOWN));
        }
    }
}

/// The last `count` lines of `text`.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scratch;

    fn shell(directory: &Path, script: &str) -> Process {
        Process::start("shell", Launch::new("/bin/sh", directory).args(["-c", script]))
    }

    #[test]
    fn a_process_logs_over_all_its_lives() {
        let scratch = Scratch::new("lives");
        let mut process = shell(scratch.path(), "echo life; exec sleep 600");
        process.wait_until_it_says("life");

        process.kill();
        process.start_again();
        process.wait_until("live twice", || {
            fs::read_to_string(scratch.join("shell.log")).is_ok_and(|text| text.lines().count() == 2)
        });

        assert_eq!(process.log(), "life\nlife\n");
    }

    #[test]
    fn stopping_lets_a_process_say_farewell() {
        let scratch = Scratch::new("farewell");
        let mut process =
            shell(scratch.path(), "trap 'echo farewell; exit 3' TERM; echo up; while :; do sleep 0.01; done");
        process.wait_until_it_says("up");

        let status = process.stop();

        assert_eq!(status.code(), Some(3));
        assert_eq!(process.log(), "up\nfarewell\n");
        assert!(!process.is_running());
    }

    #[test]
    #[should_panic(expected = "ended before it did: sing")]
    fn a_process_that_ends_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let mut process = shell(directory.path(), "exit 1");

        process.wait_until_it_says("sing");
    }

    #[test]
    fn a_program_that_is_run_to_its_end_tells_what_it_printed() {
        let scratch = Scratch::new("run");

        let printed =
            Launch::new("/bin/sh", scratch.path()).env("NAME", "Bob").args(["-c", "echo $NAME"]).run();

        assert_eq!(printed, "Bob\n");
    }

    #[test]
    #[should_panic(expected = "exit status: 3\nno such peer")]
    fn a_program_that_is_run_to_its_end_must_succeed() {
        Launch::new("/bin/sh", "/").args(["-c", "echo no such peer >&2; exit 3"]).run();
    }

    #[test]
    fn the_end_of_a_log_is_its_last_lines() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a\n", 2), "a");
    }
}
