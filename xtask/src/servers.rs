//! The real servers and clients of the tests: in a Python environment of the repository's own, and of the system.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    console::say,
    step::{Failed, run},
    tools::succeeds,
};

/// What is installed, and in which versions.
const REQUIREMENTS: &str = "tests/end_to_end/people/requirements.txt";

/// Asks the interpreter whether it is new enough and able to make environments.
const PYTHON_CHECK: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";

/// XMPP servers: the package, and a program of it.
const XMPP_SERVERS: [(&str, &str); 2] = [("prosody", "prosody"), ("ejabberd", "ejabberdctl")];

/// Where systems have the programs of `PostgreSQL`.
const POSTGRES_PLACES: [&str; 3] = ["/usr/lib/postgresql", "/usr/local/bin", "/usr/bin"];

/// Installs them, unless just these are there, and returns the Python to run them with.
pub(crate) fn install(repository: &Path) -> Result<PathBuf, Failed> {
    install_postgres()?;
    install_xmpp_servers()?;
    install_python(repository)
}

/// The database server of the tests: whichever version the system has, or can install.
fn install_postgres() -> Result<(), Failed> {
    if !has_postgres() && may_install() {
        apt_install(&["postgresql"])?;
    }
    if has_postgres() {
        return Ok(());
    }
    Err(Failed(
        "the tests need PostgreSQL: initdb, postgres, psql; DRAWBRIDGE_TEST_POSTGRES names their folder"
            .to_owned(),
    ))
}

fn has_postgres() -> bool {
    let named = env::var_os("DRAWBRIDGE_TEST_POSTGRES").map(PathBuf::from);
    let mut places: Vec<PathBuf> = named.into_iter().chain(POSTGRES_PLACES.map(PathBuf::from)).collect();
    let versions = fs::read_dir(POSTGRES_PLACES[0]).into_iter().flatten().filter_map(Result::ok);
    places.extend(versions.map(|version| version.path().join("bin")));
    places.iter().any(|place| place.join("initdb").exists())
}

/// The XMPP servers of the tests. They are looked up, never asked for their version: to Prosody that is an order to start.
fn install_xmpp_servers() -> Result<(), Failed> {
    let is_missing =
        |program: &str| !succeeds(Command::new("sh").args(["-c", &format!("command -v {program}")]));
    let missing = || -> Vec<&str> {
        let missing = XMPP_SERVERS.into_iter().filter(|(_, program)| is_missing(program));
        missing.map(|(package, _)| package).collect()
    };
    let wanted = missing();
    if !wanted.is_empty() && may_install() {
        apt_install(&wanted)?;
    }
    match missing().as_slice() {
        [] => Ok(()),
        packages => Err(Failed(format!("the tests need {}", packages.join(" and ")))),
    }
}

fn install_python(repository: &Path) -> Result<PathBuf, Failed> {
    let environment = repository.join(".cache/servers");
    let python = environment.join("bin/python");
    let stamp = environment.join("installed");
    let requirements = repository.join(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements).map_err(|error| failed(&requirements, &error))?;
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        say(&format!("installed already: {}", environment.display()));
        return Ok(python);
    }
    prepare_python()?;
    remove(&environment)?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(&python).args(pip).arg(&requirements))?;
    fs::write(&stamp, wanted).map_err(|error| failed(&stamp, &error))?;
    Ok(python)
}

/// Debian ships Python without the module that makes environments: fetch it where we may.
fn prepare_python() -> Result<(), Failed> {
    if python_is_able() {
        return Ok(());
    }
    if may_install() {
        apt_install(&["python3", "python3-venv"])?;
    }
    if python_is_able() {
        return Ok(());
    }
    Err(Failed("the end-to-end tests need python3, 3.10 or newer, with its venv module".to_owned()))
}

fn python_is_able() -> bool {
    succeeds(Command::new("python3").args(["-c", PYTHON_CHECK]))
}

fn apt_install(packages: &[&str]) -> Result<(), Failed> {
    run(Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn may_install() -> bool {
    let is_root =
        Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    is_root && succeeds(Command::new("apt-get").arg("--version"))
}

fn remove(directory: &Path) -> Result<(), Failed> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(directory, &error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, error: &io::Error) -> Failed {
    Failed(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_in_the_wanted_versions_is_not_installed_again() {
        let repository = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = repository.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(REQUIREMENTS, "matrix-synapse==1\n");
        write(".cache/servers/bin/python", "");
        write(".cache/servers/installed", "matrix-synapse==1\n");

        let python = install_python(repository.path());

        assert_eq!(python, Ok(repository.path().join(".cache/servers/bin/python")));
    }
}
