//! Build script of both programs. It sets `WASMTIME_VERSION`, the exact version in Cargo.lock, and
//! `TARGET`, the triple that is built for.

use std::path::Path;

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let lock = Path::new(&root).join("../Cargo.lock");
    println!("cargo:rerun-if-changed={}", lock.display());
    let text = std::fs::read_to_string(lock).expect("Cargo.lock is beside the packages");
    let version = text
        .split_once("name = \"wasmtime\"\nversion = \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .expect("Cargo.lock pins wasmtime")
        .0;
    println!("cargo:rustc-env=WASMTIME_VERSION={version}");
    println!("cargo:rustc-env=TARGET={}", std::env::var("TARGET").expect("cargo sets it"));
}
