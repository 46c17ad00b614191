//! Migrations are part of the binary: a new file in their folder is a reason to build it again.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
