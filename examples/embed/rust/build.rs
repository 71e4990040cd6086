//! Links the object in the directory above.

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let object = format!("{directory}/../program.o");
    println!("cargo::rerun-if-changed={object}");
    println!("cargo::rustc-link-arg-bins={object}");
}
