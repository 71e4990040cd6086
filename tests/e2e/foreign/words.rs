//! Prints the sorted words of standard input, and the arguments; fails without words.

use std::io::{Read, stdin};

fn main() {
    let mut text = String::new();
    stdin().read_to_string(&mut text).unwrap();
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.sort_unstable();
    println!("{} of {:?}", words.join(" "), std::env::args().skip(1).collect::<Vec<_>>());
    std::process::exit(i32::from(words.is_empty()));
}
