//! The rules of the house, applied to this repository.

use std::path::{Path, PathBuf};

use tidy::{
    clocks, hosts, levels, links, lints, names, readme, sizes,
    sources::{self, Source},
    tests_run, walls,
    workspace::Workspace,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn workspace() -> Workspace {
    Workspace::read(&root()).unwrap_or_else(|error| panic!("the workspace: {error}"))
}

fn sources() -> Vec<Source> {
    sources::read(&root()).unwrap_or_else(|error| panic!("the sources: {error}"))
}

/// Fails with one violation a line.
#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn crates_depend_downwards() {
    assert_none(&levels::violations(&workspace()));
}

#[test]
fn no_path_leads_through_a_wall() {
    assert_none(&walls::violations(&workspace()));
}

#[test]
fn the_pure_crates_are_told_the_time() {
    assert_none(&clocks::violations(&workspace(), &sources()));
}

#[test]
fn files_and_functions_are_small() {
    assert_none(&sizes::violations(&sources(), include_str!("../allow.txt")));
}

#[test]
fn no_host_is_named_in_code() {
    assert_none(&hosts::violations(&sources()));
}

#[test]
fn links_in_documents_lead_somewhere() {
    assert_none(&links::violations(&sources(), |path| root().join(path).exists()));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    assert_none(&lints::violations(&workspace()).unwrap());
}

#[test]
fn names_say_what_a_thing_is() {
    assert_none(&names::violations(&sources()));
}

#[test]
fn the_table_of_crates_in_the_readme_is_the_workspace() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();

    assert_none(&readme::violations(&workspace(), &readme));
}

#[test]
fn every_test_runs_and_has_one_try() {
    assert_none(&tests_run::violations(&sources()));
}
