//! How debuggers, profilers and systems find the callers of a function: an entry for each function,
//! in `.eh_frame` of ELF, in `.pdata` of COFF, or in `__compact_unwind` of Mach-O.

use anyhow::{Result, bail};
use cranelift_codegen::CompiledCode;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::{UnwindInfo, winarm64};
use cranelift_module::FuncId;
use cranelift_object::ObjectProduct;
use cranelift_object::object::write::{
    Relocation as ObjectRelocation, SectionId, StandardSection, SymbolId, SymbolSection,
};
use cranelift_object::object::{
    Architecture, BinaryFormat, RelocationEncoding, RelocationFlags, RelocationKind, SectionKind,
};
use gimli::RunTimeEndian;
use gimli::write::{
    Address, CommonInformationEntry, EhFrame, EndianVec, FrameTable, RelocationTarget,
};

use crate::debug::Section;

const ALIGNMENT: u64 = 8;

struct Frame {
    id: FuncId,
    size: u32,
    info: UnwindInfo,
}

#[derive(Default)]
pub struct Frames {
    frames: Vec<Frame>,
    shared: Option<CommonInformationEntry>,
}

impl Frames {
    pub fn add(&mut self, isa: &dyn TargetIsa, id: FuncId, code: &CompiledCode) -> Result<()> {
        let Some(info) = code.create_unwind_info(isa)? else {
            bail!("a function has no unwind information");
        };
        self.shared = self.shared.take().or_else(|| isa.create_systemv_cie());
        self.frames.push(Frame { id, size: code.buffer.total_size(), info });
        Ok(())
    }

    pub fn write(&self, product: &mut ObjectProduct, endian: RunTimeEndian) -> Result<()> {
        match product.object.format() {
            BinaryFormat::Coff => self.write_pdata(product),
            BinaryFormat::MachO => self.write_compact(product),
            _ => self.write_eh_frame(product, endian),
        }
    }

    /// That of cranelift-object has absolute addresses, so a linker has to have the section
    /// relocated when a program is loaded, which shared libraries and many systems do not allow.
    fn write_eh_frame(&self, product: &mut ObjectProduct, endian: RunTimeEndian) -> Result<()> {
        let Some(mut shared) = self.shared.clone() else {
            bail!("the target has no unwind information");
        };
        shared.fde_address_encoding =
            gimli::DwEhPe(gimli::DW_EH_PE_pcrel.0 | gimli::DW_EH_PE_sdata4.0);
        let mut table = FrameTable::default();
        let shared = table.add_cie(shared);
        for (symbol, frame) in self.frames.iter().enumerate() {
            let UnwindInfo::SystemV(info) = &frame.info else { continue };
            table.add_fde(shared, info.to_fde(Address::Symbol { symbol, addend: 0 }));
        }
        let mut frames =
            EhFrame(Section { writer: EndianVec::new(endian), relocations: Vec::new() });
        table.write_eh_frame(&mut frames)?;
        let section = product.object.section_id(StandardSection::EhFrame);
        product.object.append_section_data(section, frames.0.writer.slice(), ALIGNMENT);
        for relocation in frames.0.relocations {
            let RelocationTarget::Symbol(index) = relocation.target else { continue };
            // By section: what others may replace when a program is loaded is not that far away.
            let function = product.object.symbol(product.function_symbol(self.frames[index].id));
            let (place, value) = (function.section, function.value as i64);
            let SymbolSection::Section(text) = place else { continue };
            let symbol = product.object.section_symbol(text);
            let flags = RelocationFlags::Generic {
                kind: RelocationKind::Relative,
                encoding: RelocationEncoding::Generic,
                size: relocation.size * 8,
            };
            let offset = relocation.offset as u64;
            let addend = relocation.addend + value;
            let relocation = ObjectRelocation { offset, symbol, addend, flags };
            product.object.add_relocation(section, relocation)?;
        }
        Ok(())
    }

    /// An entry has the start of a function, on x86_64 its end, and where its codes are.
    fn write_pdata(&self, product: &mut ObjectProduct) -> Result<()> {
        let has_end = product.object.architecture() == Architecture::X86_64;
        let mut add = |name: &[u8]| {
            product.object.add_section(Vec::new(), name.to_vec(), SectionKind::ReadOnlyData)
        };
        let (codes, table) = (add(b".xdata"), add(b".pdata"));
        let codes_symbol = product.object.section_symbol(codes);
        for frame in &self.frames {
            let place = product.object.append_section_data(codes, &windows_codes(frame)?, 4);
            let function = product.function_symbol(frame.id);
            let mut words = vec![(function, 0), (codes_symbol, place as i64)];
            if has_end {
                words.insert(1, (function, i64::from(frame.size)));
            }
            for (symbol, addend) in words {
                let offset = product.object.append_section_data(table, &[0; 4], 4);
                let address = Word { offset, symbol, addend, kind: RelocationKind::ImageOffset };
                address.relocate(product, table, 32)?;
            }
        }
        Ok(())
    }

    /// All functions have frame pointers, so an entry says no more than that. It does not say where
    /// registers are saved, which only exceptions need.
    fn write_compact(&self, product: &mut ObjectProduct) -> Result<()> {
        let has_frame: u32 = match product.object.architecture() {
            Architecture::X86_64 => 0x0100_0000,
            _ => 0x0400_0000,
        };
        let table = product.object.add_section(
            b"__LD".to_vec(),
            b"__compact_unwind".to_vec(),
            SectionKind::Debug,
        );
        for frame in &self.frames {
            let mut entry = [0; 32]; // address, size, encoding; personality and its data: none
            entry[8..12].copy_from_slice(&frame.size.to_le_bytes());
            entry[12..16].copy_from_slice(&has_frame.to_le_bytes());
            let offset = product.object.append_section_data(table, &entry, ALIGNMENT);
            let symbol = product.function_symbol(frame.id);
            let address = Word { offset, symbol, addend: 0, kind: RelocationKind::Absolute };
            address.relocate(product, table, 64)?;
        }
        Ok(())
    }
}

/// An address that a linker writes.
struct Word {
    offset: u64,
    symbol: SymbolId,
    addend: i64,
    kind: RelocationKind,
}

impl Word {
    fn relocate(self, product: &mut ObjectProduct, section: SectionId, size: u8) -> Result<()> {
        let Self { offset, symbol, addend, kind } = self;
        let flags = RelocationFlags::Generic { kind, encoding: RelocationEncoding::Generic, size };
        let relocation = ObjectRelocation { offset, symbol, addend, flags };
        Ok(product.object.add_relocation(section, relocation)?)
    }
}

fn windows_codes(frame: &Frame) -> Result<Vec<u8>> {
    match &frame.info {
        UnwindInfo::WindowsX64(info) => {
            let mut codes = vec![0; info.emit_size()];
            info.emit(&mut codes);
            Ok(codes)
        }
        UnwindInfo::WindowsArm64(info) => arm_codes(info, frame.size),
        _ => bail!("the target has no unwind information"),
    }
}

/// A header before the codes, without the epilogues, of which Cranelift says nothing. Source:
/// Microsoft's "ARM64 exception handling".
fn arm_codes(info: &winarm64::UnwindInfo, size: u32) -> Result<Vec<u8>> {
    let (length, words) = (size / 4, u32::from(info.code_words()));
    if length >= 1 << 18 {
        bail!("a function of {size} bytes is too large for Windows");
    }
    let header = if words < 32 { vec![length | words << 27] } else { vec![length, words << 16] };
    let mut codes: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    let start = codes.len();
    codes.resize(start + 4 * words as usize, 0);
    info.emit(&mut codes[start..]);
    Ok(codes)
}
