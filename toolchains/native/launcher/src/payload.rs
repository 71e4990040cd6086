//! What is attached to the launcher: an artifact, its settings and a footer.
//!
//! The payload is one run of bytes, at the end of the file, or in a segment of a Mach-O file:
//!
//! | bytes | what                                                               |
//! |-------|--------------------------------------------------------------------|
//! | a     | the artifact, a `.cwasm`, at a multiple of 4096 in the file        |
//! | s     | its settings, UTF-8 text, see `settings`                           |
//! | 8     | `MOCHIEXE`; here the footer begins                                 |
//! | 4     | 1, the version of this layout (all numbers are little-endian)      |
//! | 4     | s                                                                  |
//! | 8     | a                                                                  |
//! | 8     | 0                                                                  |
//! | 32    | SHA-256 of the artifact and the settings                           |

use sha2::{Digest, Sha256};

use crate::Failure;

const MAGIC: &[u8] = b"MOCHIEXE";
const VERSION: u32 = 1;
const FOOTER: usize = 64;

pub struct Payload {
    pub artifact: &'static [u8],
    pub settings: &'static str,
}

impl Payload {
    /// Find the payload at the end of `file`, and check it against its digest.
    pub fn find(file: &'static [u8]) -> Result<Payload, Failure> {
        let (body, footer) = file
            .split_last_chunk::<FOOTER>()
            .filter(|(_, footer)| footer.starts_with(MAGIC))
            .ok_or_else(|| Failure::new("no program is attached to this launcher"))?;
        let version = number(&footer[8..12]);
        if version != VERSION.into() {
            return Err(Failure::new(format!(
                "the program is attached in layout {version}; this launcher reads layout {VERSION}"
            )));
        }
        Payload::split(body, footer).ok_or_else(|| {
            Failure::new("the file is damaged: its program does not have the recorded SHA-256")
        })
    }

    fn split(body: &'static [u8], footer: &[u8; FOOTER]) -> Option<Payload> {
        let settings = usize::try_from(number(&footer[12..16])).ok()?;
        let artifact = usize::try_from(number(&footer[16..24])).ok()?;
        let start = body.len().checked_sub(artifact.checked_add(settings)?)?;
        let attached = &body[start..];
        if footer[24..32] != [0; 8] || Sha256::digest(attached)[..] != footer[32..] {
            return None;
        }
        let (artifact, settings) = attached.split_at(artifact);
        Some(Payload { artifact, settings: str::from_utf8(settings).ok()? })
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}
