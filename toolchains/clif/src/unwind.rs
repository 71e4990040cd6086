//! How debuggers and profilers find the callers of a function: `.eh_frame`, of ELF.
//!
//! That of cranelift-object has absolute addresses, so a linker has to have the section relocated
//! when a program is loaded, which shared libraries and many systems do not allow.

use anyhow::Result;
use cranelift_codegen::CompiledCode;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::UnwindInfo;
use cranelift_module::FuncId;
use cranelift_object::ObjectProduct;
use cranelift_object::object::write::{Relocation as ObjectRelocation, StandardSection, SymbolSection};
use cranelift_object::object::{RelocationEncoding, RelocationFlags, RelocationKind};
use gimli::RunTimeEndian;
use gimli::write::{Address, CieId, EhFrame, EndianVec, FrameTable, RelocationTarget};

use crate::debug::Section;

const ALIGNMENT: u64 = 8;

#[derive(Default)]
pub struct Frames {
    table: FrameTable,
    shared: Option<CieId>,
    functions: Vec<FuncId>,
}

impl Frames {
    pub fn add(&mut self, isa: &dyn TargetIsa, id: FuncId, code: &CompiledCode) -> Result<()> {
        let (Some(UnwindInfo::SystemV(info)), Some(mut cie)) =
            (code.create_unwind_info(isa)?, isa.create_systemv_cie())
        else {
            return Ok(());
        };
        let table = &mut self.table;
        let shared = *self.shared.get_or_insert_with(|| {
            cie.fde_address_encoding = gimli::DwEhPe(gimli::DW_EH_PE_pcrel.0 | gimli::DW_EH_PE_sdata4.0);
            table.add_cie(cie)
        });
        let address = Address::Symbol { symbol: self.functions.len(), addend: 0 };
        table.add_fde(shared, info.to_fde(address));
        self.functions.push(id);
        Ok(())
    }

    pub fn write(&self, product: &mut ObjectProduct, endian: RunTimeEndian) -> Result<()> {
        let mut frames =
            EhFrame(Section { writer: EndianVec::new(endian), relocations: Vec::new() });
        self.table.write_eh_frame(&mut frames)?;
        let section = product.object.section_id(StandardSection::EhFrame);
        product.object.append_section_data(section, frames.0.writer.slice(), ALIGNMENT);
        for relocation in frames.0.relocations {
            let RelocationTarget::Symbol(index) = relocation.target else { continue };
            // By section: what others may replace when a program is loaded is not that far away.
            let function = product.object.symbol(product.function_symbol(self.functions[index]));
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
}
