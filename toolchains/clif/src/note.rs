//! What an object says of itself, for whoever checks it: the CPU level that its code needs.
//!
//! A note as ELF has them, in all formats: the sizes of owner and text, a type, both padded to
//! multiples of 4. It is in no segment, so it is not loaded.

use cranelift_object::ObjectProduct;
use cranelift_object::object::{BinaryFormat, SectionKind};
use gimli::RunTimeEndian;
use gimli::write::{EndianVec, Writer};

use anyhow::Result;

const OWNER: &[u8] = b"mochi\0";
const CPU_LEVEL: u32 = 2; // an architecture, NT_ARCH of ELF

pub fn write(product: &mut ObjectProduct, level: &str, endian: RunTimeEndian) -> Result<()> {
    let (segment, name, kind): (&[u8], &[u8], _) = match product.object.format() {
        BinaryFormat::Coff => (b"", b".mochi", SectionKind::Linker),
        BinaryFormat::MachO => (b"__DWARF", b"__mochi", SectionKind::Debug),
        _ => (b"", b".note.mochi", SectionKind::Note),
    };
    let mut note = EndianVec::new(endian);
    note.write_u32(OWNER.len().try_into()?)?;
    note.write_u32(level.len().try_into()?)?;
    note.write_u32(CPU_LEVEL)?;
    for text in [OWNER, level.as_bytes()] {
        note.write(text)?;
        note.write(&[0; 3][..text.len().next_multiple_of(4) - text.len()])?;
    }
    let section = product.object.add_section(segment.to_vec(), name.to_vec(), kind);
    product.object.append_section_data(section, note.slice(), 4);
    Ok(())
}
