//! From the attached artifact to a module that can run.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wasmtime::{Engine, Module, Precompiled, Result};
use wasmtime_environ::{FlagValue, Tunables};

use crate::Failure;
use crate::payload::Payload;
use crate::settings::Settings;

/// Where `.wasmtime.engine`, the first section, begins in every artifact.
const ENGINE_SECTION: usize = 0x40;

/// Load the artifact. Wasmtime compares its target, version and configuration with our own.
pub fn load(payload: &Payload, settings: &Settings) -> Result<Module, Failure> {
    let artifact = payload.artifact;
    deserialize(artifact, settings).map_err(|error| {
        if Engine::detect_precompiled(artifact) == Some(Precompiled::Component) {
            return Failure::new("the program is a component, not a module");
        }
        let (version, target) = origin(artifact).unwrap_or(("?", "?"));
        Failure::new(format!(
            "the program is for `{target}` and Wasmtime {version}, this launcher for `{}` and \
             Wasmtime {}; they do not fit: {error:#}",
            env!("TARGET"),
            env!("WASMTIME_VERSION"),
        ))
    })
}

fn deserialize(artifact: &'static [u8], settings: &Settings) -> Result<Module> {
    #[cfg(target_os = "linux")]
    if !settings.winch && mapped::is_mapped(artifact) {
        let mut config = settings.engine();
        config.with_custom_code_memory(Some(std::sync::Arc::new(mapped::Pages)));
        // SAFETY: the digest was checked, so these are the bytes that a compiler made, and see
        // `host::own_file` for why they stay so.
        return unsafe { Module::deserialize_raw(&Engine::new(&config)?, artifact.into()) };
    }
    let engine = Engine::new(&settings.engine())?;
    let artifact = if settings.winch { without_winch(artifact) } else { artifact.into() };
    // SAFETY: the digest was checked, so these are the bytes that a compiler made.
    unsafe { Module::deserialize(&engine, artifact) }
}

/// Which Wasmtime made the artifact, and for what target.
fn origin(artifact: &[u8]) -> Option<(&str, &str)> {
    let (length, rest) = artifact.get(ENGINE_SECTION + 1..)?.split_first()?;
    let (version, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, rest) = rest.split_first()?;
    let target = rest.get(..usize::from(*length))?;
    Some((str::from_utf8(version).ok()?, str::from_utf8(target).ok()?))
}

/// What Wasmtime 48 writes into `.wasmtime.engine` after its version.
#[derive(Serialize, Deserialize)]
struct Metadata<'a> {
    target: &'a str,
    #[serde(borrow)]
    shared_flags: Vec<(&'a str, FlagValue<'a>)>,
    #[serde(borrow)]
    isa_flags: Vec<(&'a str, FlagValue<'a>)>,
    tunables: Tunables,
    features: u64,
}

/// A copy of the artifact that no longer says that Winch made it.
///
/// Without a compiler Wasmtime cannot be set to Winch, and compares a setting that has no meaning
/// at run time. Whatever cannot be read here is left for Wasmtime to refuse.
fn without_winch(artifact: &[u8]) -> Cow<'_, [u8]> {
    let Some((version, _)) = origin(artifact) else {
        return artifact.into();
    };
    let start = ENGINE_SECTION + 2 + version.len();
    let Ok((mut metadata, rest)) = postcard::take_from_bytes::<Metadata>(&artifact[start..]) else {
        return artifact.into();
    };
    let end = artifact.len() - rest.len();
    metadata.tunables.winch_callable = false;
    let mut copy = artifact.to_vec();
    match postcard::to_slice(&metadata, &mut copy[start..end]) {
        Ok(_) => copy.into(),
        Err(_) => artifact.into(),
    }
}

#[cfg(target_os = "linux")]
mod mapped {
    use rustix::mm::{MprotectFlags, mprotect};
    use wasmtime::{CustomCodeMemory, Result};

    /// Whether the code lies on pages of its own. It does when the kernel's pages are not larger
    /// than those for which the program was attached.
    pub fn is_mapped(artifact: &[u8]) -> bool {
        artifact.as_ptr().addr().is_multiple_of(rustix::param::page_size())
    }

    /// Makes the code executable where it is mapped; it is never writable.
    pub struct Pages;

    impl CustomCodeMemory for Pages {
        fn required_alignment(&self) -> usize {
            rustix::param::page_size()
        }

        fn publish_executable(&self, start: *const u8, length: usize) -> Result<()> {
            let flags = MprotectFlags::READ | MprotectFlags::EXEC;
            // SAFETY: Wasmtime names the pages of the code section inside our mapping. For pages
            // of a file the kernel itself keeps instruction caches coherent.
            Ok(unsafe { mprotect(start.cast_mut().cast(), length, flags) }?)
        }

        fn unpublish_executable(&self, start: *const u8, length: usize) -> Result<()> {
            // SAFETY: as above.
            Ok(unsafe { mprotect(start.cast_mut().cast(), length, MprotectFlags::READ) }?)
        }
    }
}
