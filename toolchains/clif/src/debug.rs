//! Which source line each machine instruction comes from: a table for whoever reports a trap, and
//! DWARF for debuggers.
//!
//! The table, `mochi_lines`, has a record for each function of which lines are known. Multi-byte
//! numbers have the byte order of the target, others are unsigned LEB128.
//!
//! ```text
//! the function's address: 8 bytes, 0 at the end of the table
//! its size: 4 bytes
//! the size of the rest, with what fills it up to a multiple of 8: 4 bytes
//! the function's name: its size and UTF-8
//! rows: the offset less that of the row before; the first is that of the function's start
//!       the file
//!       the line less the one before: 2 n for n ≥ 0, -2 n - 1 for n < 0
//! ```
//!
//! `mochi_files` has the names of the files, each ended by a byte 0.

use anyhow::Result;
use cranelift_codegen::CompiledCode;
use cranelift_codegen::ir::Endianness;
use cranelift_module::{DataDescription, FuncId, Linkage, Module};
use cranelift_object::object::write::{
    Relocation as ObjectRelocation, SectionId as ObjectSection, SymbolId,
};
use cranelift_object::object::{RelocationEncoding, RelocationFlags, RelocationKind, SectionKind};
use cranelift_object::{ObjectModule, ObjectProduct};
use gimli::write::{
    Address, AttributeValue, DwarfUnit, EndianVec, FileId, LineProgram, LineString, Range,
    RangeList, RelocateWriter, Relocation, RelocationTarget, Sections,
};
use gimli::{Encoding, Format, LineEncoding, RunTimeEndian, SectionId};

const LINE_BITS: u32 = 20;

struct Compiled {
    id: FuncId,
    symbol: String,
    size: u32,
    rows: Vec<Row>,
}

/// Where a place begins.
#[derive(Clone, Copy, PartialEq)]
struct Row {
    offset: u32,
    file: u32,
    line: u32,
}

pub struct Lines {
    is_big: bool,
    files: Vec<String>,
    functions: Vec<Compiled>,
}

impl Lines {
    pub fn new(files: &[&str], endianness: Endianness) -> Self {
        Self {
            is_big: endianness == Endianness::Big,
            files: files.iter().map(|&file| file.to_owned()).collect(),
            functions: Vec::new(),
        }
    }

    pub fn add(&mut self, id: FuncId, symbol: &str, code: &CompiledCode) {
        let mut rows: Vec<Row> = Vec::new();
        let mut push = |offset, file, line| match rows.last() {
            Some(last) if (last.file, last.line) == (file, line) => {}
            _ => rows.push(Row { offset, file, line }),
        };
        let mut is_first = true;
        for place in code.buffer.get_srclocs_sorted().iter().filter(|it| !it.loc.is_default()) {
            // What is before the first place, the prologue above all, counts as that; what has no
            // place of its own, as the one before.
            let start = if is_first { 0 } else { place.start };
            is_first = false;
            let bits = place.loc.bits();
            push(start, bits >> LINE_BITS, bits & ((1 << LINE_BITS) - 1));
        }
        let size = code.buffer.total_size();
        self.functions.push(Compiled { id, symbol: symbol.to_owned(), size, rows });
    }

    /// Define the table.
    pub fn define(&self, module: &mut ObjectModule) -> Result<()> {
        let mut files: Vec<u8> = Vec::new();
        for file in &self.files {
            files.extend(file.as_bytes());
            files.push(0);
        }
        files.push(0);
        let id = module.declare_data("mochi_files", Linkage::Export, false, false)?;
        let mut description = DataDescription::new();
        description.define(files.into());
        module.define_data(id, &description)?;

        let mut description = DataDescription::new();
        let mut table = Vec::new();
        for function in self.known() {
            let reference = module.declare_func_in_data(function.id, &mut description);
            description.write_function_addr(u32::try_from(table.len())?, reference);
            let mut rest = Vec::new();
            write_number(&mut rest, function.symbol.len() as u64);
            rest.extend(function.symbol.as_bytes());
            write_rows(&mut rest, &function.rows);
            rest.resize(rest.len().next_multiple_of(8), 0);
            table.extend([0; 8]);
            for number in [function.size, u32::try_from(rest.len())?] {
                table.extend(if self.is_big { number.to_be_bytes() } else { number.to_le_bytes() });
            }
            table.extend(rest);
        }
        table.extend([0; 8]);
        description.define(table.into());
        description.set_align(8);
        let id = module.declare_data("mochi_lines", Linkage::Export, false, false)?;
        module.define_data(id, &description)?;
        Ok(())
    }

    /// Add DWARF to an object: its functions and their lines.
    pub fn describe(&self, product: &mut ObjectProduct, name: &str) -> Result<()> {
        let encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 8 };
        let source = self.files.last().map_or(name, String::as_str);
        let main = LineString::String(source.into());
        let directory = LineString::String(b".".to_vec());
        let mut dwarf = DwarfUnit::new(encoding);
        dwarf.unit.line_program = LineProgram::new(
            encoding,
            LineEncoding::default(),
            directory,
            None,
            main,
            None,
        );
        let folder = dwarf.unit.line_program.default_directory();
        let files: Vec<FileId> = self
            .files
            .iter()
            .map(|file| {
                let name = LineString::String(file.as_bytes().to_vec());
                dwarf.unit.line_program.add_file(name, folder, None)
            })
            .collect();
        let mut symbols = Vec::new();
        let mut ranges = Vec::new();
        for function in self.known() {
            let begin = Address::Symbol { symbol: symbols.len(), addend: 0 };
            symbols.push(product.function_symbol(function.id));
            ranges.push(Range::StartLength { begin, length: function.size.into() });
            let first = write_sequence(&mut dwarf.unit.line_program, &files, function, begin);
            let entry = dwarf.unit.add(dwarf.unit.root(), gimli::DW_TAG_subprogram);
            let entry = dwarf.unit.get_mut(entry);
            let text = AttributeValue::String(function.symbol.clone().into_bytes());
            entry.set(gimli::DW_AT_name, text);
            entry.set(gimli::DW_AT_low_pc, AttributeValue::Address(begin));
            entry.set(gimli::DW_AT_high_pc, AttributeValue::Udata(function.size.into()));
            if let Some(row) = first {
                let file = AttributeValue::FileIndex(files.get(row.file as usize).copied());
                entry.set(gimli::DW_AT_decl_file, file);
                entry.set(gimli::DW_AT_decl_line, AttributeValue::Udata(row.line.into()));
            }
        }
        let ranges = dwarf.unit.ranges.add(RangeList(ranges));
        let root = dwarf.unit.get_mut(dwarf.unit.root());
        root.set(gimli::DW_AT_name, AttributeValue::String(source.into()));
        root.set(gimli::DW_AT_comp_dir, AttributeValue::String(b".".to_vec()));
        root.set(gimli::DW_AT_producer, AttributeValue::String(b"mochi_rules".to_vec()));
        root.set(gimli::DW_AT_language, AttributeValue::Language(gimli::DW_LANG_C));
        root.set(gimli::DW_AT_ranges, AttributeValue::RangeListRef(ranges));
        root.set(gimli::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
        write_dwarf(&mut dwarf, product, &symbols, self.endian())
    }

    pub fn endian(&self) -> RunTimeEndian {
        if self.is_big { RunTimeEndian::Big } else { RunTimeEndian::Little }
    }

    fn known(&self) -> impl Iterator<Item = &Compiled> {
        self.functions.iter().filter(|function| !function.rows.is_empty())
    }
}

fn write_rows(bytes: &mut Vec<u8>, rows: &[Row]) {
    let (mut offset, mut line) = (0, 0);
    for row in rows {
        write_number(bytes, (row.offset - offset).into());
        offset = row.offset;
        write_number(bytes, row.file.into());
        let step = i64::from(row.line) - line;
        line = i64::from(row.line);
        write_number(bytes, (if step >= 0 { 2 * step } else { -2 * step - 1 }).unsigned_abs());
    }
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Write the lines of a function, and return the first.
fn write_sequence(
    program: &mut LineProgram,
    files: &[FileId],
    function: &Compiled,
    begin: Address,
) -> Option<Row> {
    program.begin_sequence(Some(begin));
    for row in &function.rows {
        program.row().address_offset = row.offset.into();
        if let Some(&file) = files.get(row.file as usize) {
            program.row().file = file;
        }
        program.row().line = row.line.into();
        program.generate_row();
    }
    program.end_sequence(function.size.into());
    function.rows.first().copied()
}

fn write_dwarf(
    dwarf: &mut DwarfUnit,
    product: &mut ObjectProduct,
    symbols: &[SymbolId],
    endian: RunTimeEndian,
) -> Result<()> {
    let empty = Section { writer: EndianVec::new(endian), relocations: Vec::new() };
    let mut sections = Sections::new(empty);
    dwarf.write(&mut sections)?;
    let mut placed: Vec<(SectionId, ObjectSection, Vec<Relocation>)> = Vec::new();
    sections.for_each(|id, section| -> Result<()> {
        if section.writer.slice().is_empty() {
            return Ok(());
        }
        let segment = product.object.segment_name(
            cranelift_object::object::write::StandardSegment::Debug,
        );
        let name = if segment.is_empty() {
            id.name().to_owned()
        } else {
            format!("__{}", id.name().trim_start_matches('.'))
        };
        let place =
            product.object.add_section(segment.to_vec(), name.into_bytes(), SectionKind::Debug);
        product.object.append_section_data(place, section.writer.slice(), 1);
        placed.push((id, place, section.relocations.clone()));
        Ok(())
    })?;
    for (_, place, relocations) in &placed {
        for relocation in relocations {
            let (symbol, is_offset) = match relocation.target {
                RelocationTarget::Symbol(index) => (symbols[index], false),
                RelocationTarget::Section(wanted) => {
                    let found = placed.iter().find(|(id, ..)| *id == wanted);
                    let (_, section, _) = found.expect("what is referred to was written");
                    (product.object.section_symbol(*section), true)
                }
            };
            let kind =
                if is_offset { RelocationKind::SectionOffset } else { RelocationKind::Absolute };
            product.object.add_relocation(
                *place,
                ObjectRelocation {
                    offset: relocation.offset as u64,
                    symbol,
                    addend: relocation.addend,
                    flags: RelocationFlags::Generic {
                        kind: if product.object.format()
                            == cranelift_object::object::BinaryFormat::Coff
                        {
                            kind
                        } else {
                            RelocationKind::Absolute
                        },
                        encoding: RelocationEncoding::Generic,
                        size: relocation.size * 8,
                    },
                },
            )?;
        }
    }
    Ok(())
}

#[derive(Clone)]
pub struct Section {
    pub writer: EndianVec<RunTimeEndian>,
    pub relocations: Vec<Relocation>,
}

impl RelocateWriter for Section {
    type Writer = EndianVec<RunTimeEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.writer
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.writer
    }

    fn relocate(&mut self, relocation: Relocation) {
        self.relocations.push(relocation);
    }
}
