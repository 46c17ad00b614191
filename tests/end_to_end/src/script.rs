use std::{
    collections::HashMap,
    ffi::OsStr,
    fmt::Debug,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    Scratch,
    limits::{LOG_LINES_SHOWN, PATIENCE},
    process::last_lines,
    servers::test_python,
};

/// What a script tells by itself, one JSON object a line.
pub(crate) trait Told: DeserializeOwned + Clone + Debug + Send + 'static {
    /// A line that could not be understood.
    fn deaf(reason: String) -> Self;

    /// Whether something may be missing in what is told.
    fn is_trouble(&self) -> bool;
}

/// A person's client: a Python script that is asked by lines of JSON, and tells what it hears in the same way.
///
/// What is asked is done when the call returns. What is heard is kept, in order.
pub(crate) struct Script<E> {
    name: String,
    scratch: Scratch,
    child: Child,
    wishes: Mutex<Wishes>,
    heard: Arc<Heard<E>>,
}

/// The way to the script, and the number of the last wish that went there.
struct Wishes {
    stdin: Option<ChildStdin>,
    last: u64,
}

/// What came back, and the bell that rings with each line.
struct Heard<E> {
    lines: Mutex<Lines<E>>,
    bell: Condvar,
}

struct Lines<E> {
    events: Vec<E>,
    answers: HashMap<u64, Result<Value, String>>,
    ended: bool,
}

impl<E: Told> Script<E> {
    /// Starts a script for somebody of this name.
    #[track_caller]
    pub(crate) fn start(name: &str, script: &Path, args: &[&str]) -> Self {
        let scratch = Scratch::new(name);
        let errors = File::create(scratch.join("person.log"));
        let errors = errors.unwrap_or_else(|error| panic!("a log for {name}: {error}"));
        let mut child = Command::new(test_python())
            .arg(script)
            .args(args.iter().map(OsStr::new))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let lines = Lines { events: Vec::new(), answers: HashMap::new(), ended: false };
        let heard = Arc::new(Heard { lines: Mutex::new(lines), bell: Condvar::new() });
        if let Some(stdout) = child.stdout.take() {
            let heard = Arc::clone(&heard);
            thread::spawn(move || heard.listen(BufReader::new(stdout)));
        }
        let wishes = Mutex::new(Wishes { stdin: child.stdin.take(), last: 0 });
        Self { name: name.to_owned(), scratch, child, wishes, heard }
    }

    /// Asks the script to do something and waits for its answer.
    #[track_caller]
    pub(crate) fn ask(&self, what: &str, wish: Value) -> Value {
        let answer = self.try_ask(what, wish);
        answer.unwrap_or_else(|error| panic!("{} could not {what}: {error}", self.name))
    }

    /// The same, where the answer may be no.
    #[track_caller]
    pub(crate) fn try_ask(&self, what: &str, mut wish: Value) -> Result<Value, String> {
        let id = {
            let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
            wishes.last += 1;
            wish["id"] = wishes.last.into();
            wish["do"] = what.into();
            let sent = wishes.stdin.as_mut().map(|stdin| writeln!(stdin, "{wish}"));
            assert!(matches!(sent, Some(Ok(()))), "{} cannot be asked to {what}", self.name);
            wishes.last
        };
        let started = Instant::now();
        let mut lines = self.heard.lines();
        loop {
            match lines.answers.remove(&id) {
                Some(answer) => return answer,
                None => lines = self.wait_for_a_line(lines, started, what),
            }
        }
    }

    /// Everything heard so far, in order.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<E> {
        self.hearing().events.clone()
    }

    /// Waits until `found` finds what it looks for among everything heard.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, what: &str, found: impl Fn(&[E]) -> Option<T>) -> T {
        let started = Instant::now();
        let mut lines = self.hearing();
        loop {
            if let Some(it) = found(&lines.events) {
                return it;
            }
            lines = self.wait_for_a_line(lines, started, what);
        }
    }

    #[track_caller]
    fn wait_for_a_line<'a>(
        &'a self,
        lines: MutexGuard<'a, Lines<E>>,
        started: Instant,
        what: &str,
    ) -> MutexGuard<'a, Lines<E>> {
        let left = PATIENCE.saturating_sub(started.elapsed());
        assert!(!lines.ended, "{} has ended, waiting for: {what}", self.name);
        assert!(!left.is_zero(), "{} waited too long for: {what}\n{:#?}", self.name, lines.events);
        let lines = self.heard.bell.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        self.assert_hearing_well(&lines);
        lines
    }

    /// What was heard, known to be all there was to hear.
    #[track_caller]
    fn hearing(&self) -> MutexGuard<'_, Lines<E>> {
        let lines = self.heard.lines();
        self.assert_hearing_well(&lines);
        lines
    }

    #[track_caller]
    fn assert_hearing_well(&self, lines: &Lines<E>) {
        let trouble = lines.events.iter().find(|event| event.is_trouble());
        assert!(trouble.is_none(), "{} did not hear everything: {trouble:?}", self.name);
    }
}

impl<E> Drop for Script<E> {
    fn drop(&mut self) {
        // Both fail only for a child that has already ended.
        self.child.kill().ok();
        self.child.wait().ok();
        let log = std::fs::read_to_string(self.scratch.join("person.log")).unwrap_or_default();
        if thread::panicking() && !log.is_empty() {
            eprintln!("--- {}\n{}", self.name, last_lines(&log, LOG_LINES_SHOWN));
        }
    }
}

impl<E: Told> Heard<E> {
    /// Nothing panics while the lock is held for writing, so a poisoned lock still guards whole lines.
    fn lines(&self) -> MutexGuard<'_, Lines<E>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, output: impl BufRead) {
        for line in output.lines().map_while(Result::ok) {
            self.lines().take(&line);
            self.bell.notify_all();
        }
        self.lines().ended = true;
        self.bell.notify_all();
    }
}

impl<E: Told> Lines<E> {
    fn take(&mut self, line: &str) {
        let Ok(mut value) = serde_json::from_str::<Value>(line) else {
            self.events.push(E::deaf(format!("not a line of ours: {line}")));
            return;
        };
        if let Some(id) = value["answer"].as_u64() {
            let answer = match value["error"].as_str() {
                Some(error) => Err(error.to_owned()),
                None => Ok(value["ok"].take()),
            };
            self.answers.insert(id, answer);
            return;
        }
        let event = serde_json::from_value(value);
        self.events.push(event.unwrap_or_else(|error| E::deaf(format!("{error}: {line}"))));
    }
}
