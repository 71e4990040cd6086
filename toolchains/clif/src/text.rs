//! The text of a module: functions in CLIF, and lines that begin with `;!`, which CLIF takes for
//! comments, for what CLIF has no words for.
//!
//! ```text
//! ;! data %name ALIGNMENT read|write HEX     bytes
//! ;! zero %name ALIGNMENT SIZE               writable bytes that are zero
//! ;! address %name OFFSET %function          the address of a function, inside a `data`
//! ;! export %name                            the linker sees a function or data
//! ;! symbol %name NAME                       what the symbol is called, if not `name`
//! ;! file PATH                               the next source file; locations count from 0
//! ```
//!
//! The source location of an instruction is the number of its file, and its line in 20 bits.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, anyhow, bail};

#[derive(Default)]
pub struct Declarations<'a> {
    pub data: Vec<Data<'a>>,
    pub exports: HashSet<&'a str>,
    pub symbols: HashMap<&'a str, &'a str>,
    pub files: Vec<&'a str>,
}

pub struct Data<'a> {
    pub name: &'a str,
    pub alignment: u64,
    pub is_writable: bool,
    pub contents: Contents,
    /// Offsets of the addresses of functions.
    pub addresses: Vec<(u32, &'a str)>,
}

pub enum Contents {
    Bytes(Vec<u8>),
    Zeros(usize),
}

impl<'a> Declarations<'a> {
    pub fn read(text: &'a str) -> Result<Self> {
        let mut found = Self::default();
        for (number, line) in text.lines().enumerate() {
            if let Some(words) = line.strip_prefix(";! ") {
                found.add(words).with_context(|| format!("line {}", number + 1))?;
            }
        }
        Ok(found)
    }

    /// Return what the symbol of a function or of data is called.
    pub fn symbol(&self, name: &'a str) -> &'a str {
        self.symbols.get(name).copied().unwrap_or(name)
    }

    fn add(&mut self, line: &'a str) -> Result<()> {
        let (kind, rest) = line.split_once(' ').context("a directive without a word")?;
        match kind {
            "data" => {
                let [name, alignment, access, hex] = split(rest)?;
                let contents = Contents::Bytes(bytes(hex)?);
                self.add_data(name, alignment, access == "write", contents)?;
            }
            "zero" => {
                let [name, alignment, size] = split(rest)?;
                self.add_data(name, alignment, true, Contents::Zeros(size.parse()?))?;
            }
            "address" => {
                let [name, offset, function] = split(rest)?;
                let (name, function) = (bare(name)?, bare(function)?);
                let data = self.data.iter_mut().find(|data| data.name == name);
                let data = data.with_context(|| format!("no data `{name}`"))?;
                data.addresses.push((offset.parse()?, function));
            }
            "export" => {
                self.exports.insert(bare(rest)?);
            }
            "symbol" => {
                let (name, symbol) = rest.split_once(' ').context("a symbol without a name")?;
                self.symbols.insert(bare(name)?, symbol);
            }
            "file" => self.files.push(rest),
            _ => bail!("unknown directive `{kind}`"),
        }
        Ok(())
    }

    fn add_data(
        &mut self,
        name: &'a str,
        alignment: &str,
        is_writable: bool,
        contents: Contents,
    ) -> Result<()> {
        let (name, alignment) = (bare(name)?, alignment.parse()?);
        self.data.push(Data { name, alignment, is_writable, contents, addresses: Vec::new() });
        Ok(())
    }
}

fn split<const COUNT: usize>(rest: &str) -> Result<[&str; COUNT]> {
    let words: Vec<&str> = rest.split(' ').collect();
    words.try_into().map_err(|_| anyhow!("{COUNT} words expected"))
}

fn bare(name: &str) -> Result<&str> {
    name.strip_prefix('%').with_context(|| format!("`{name}` is not a name"))
}

fn bytes(hex: &str) -> Result<Vec<u8>> {
    if hex.len() % 2 != 0 {
        bail!("an odd number of digits");
    }
    let pair = |at: usize| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let found: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(pair).collect();
    found.context("a digit that is not hexadecimal")
}
