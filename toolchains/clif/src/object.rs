//! From a module's text to a relocatable object.

use std::collections::HashMap;

use anyhow::{Result, anyhow, bail};
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{
    ExternalName, Function, GlobalValueData, UserExternalName, UserFuncName,
};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::print_errors::pretty_error;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{Context, isa, verify_function};
use cranelift_module::{DataDescription, FuncId, FuncOrDataId, Linkage, Module, ModuleError};
use cranelift_object::{ObjectBuilder, ObjectModule};
use cranelift_reader::{ParseOptions, parse_test};
use target_lexicon::{Architecture, BinaryFormat, Triple};

use crate::Request;
use crate::debug::Lines;
use crate::legalize;
use crate::note;
use crate::text::{Contents, Declarations};
use crate::unwind::Frames;

pub fn compile(request: &Request, text: &str) -> Result<Vec<u8>> {
    let isa = target(request)?;
    let declarations = Declarations::read(text)?;
    let options = ParseOptions {
        // That of C, for what C calls and what calls C; our own functions name theirs.
        default_calling_convention: isa.default_call_conv(),
        ..ParseOptions::default()
    };
    let parsed = parse_test(text, options)
        .map_err(|error| anyhow!("line {}: {}", error.location.line_number, error.message))?;
    let functions = parsed.functions.into_iter().map(|(function, _)| function).collect();
    let builder = ObjectBuilder::new(
        isa,
        request.name.as_bytes(),
        cranelift_module::default_libcall_names(),
    )?;
    Assembly { module: ObjectModule::new(builder), declarations, names: HashMap::new() }
        .run(functions, request)
}

/// Return the compiler for a target. Everything that decides bytes is here and in the request.
fn target(request: &Request) -> Result<OwnedTargetIsa> {
    let triple: Triple = request
        .target
        .parse()
        .map_err(|error| anyhow!("the target `{}`: {error}", request.target))?;
    let mut flags = settings::builder();
    flags.set("opt_level", &request.opt_level)?;
    // COFF has no global offset table.
    let is_pic = triple.binary_format != BinaryFormat::Coff;
    flags.set("is_pic", if is_pic { "true" } else { "false" })?;
    flags.set("unwind_info", "true")?;
    flags.set("preserve_frame_pointers", "true")?;
    // Cranelift would also verify its own work, after each of its passes: `define` verifies ours.
    flags.set("enable_verifier", "false")?;
    let mut builder = isa::lookup(triple)?;
    for flag in &request.flags {
        builder.enable(flag)?;
    }
    Ok(builder.finish(settings::Flags::new(flags))?)
}

struct Assembly<'a> {
    module: ObjectModule,
    declarations: Declarations<'a>,
    /// What the names of the text stand for.
    names: HashMap<String, FuncOrDataId>,
}

impl Assembly<'_> {
    fn run(mut self, functions: Vec<Function>, request: &Request) -> Result<Vec<u8>> {
        self.declare_data()?;
        let mut defined = Vec::new();
        for function in &functions {
            let name = name_of(function)?;
            if self.names.contains_key(&name) {
                bail!("two definitions of `%{name}`");
            }
            let symbol = self.declarations.symbol(&name).to_owned();
            let id =
                self.module.declare_function(&symbol, self.linkage(&name), &function.signature)?;
            self.names.insert(name, FuncOrDataId::Func(id));
            defined.push((id, symbol));
        }
        let mut frames = Frames::default();
        let is_riscv = matches!(self.module.isa().triple().architecture, Architecture::Riscv64(_));
        let mut lines = Lines::new(&self.declarations.files, self.module.isa().endianness());
        for (function, (id, symbol)) in functions.into_iter().zip(defined) {
            let mut function = self.resolve(function)?;
            if is_riscv {
                legalize::expand_overflow(&mut function);
            }
            let mut context = Context::for_function(function);
            if let Err(error) = self.define(id, &mut context) {
                let message = match error {
                    ModuleError::Compilation(error) => pretty_error(&context.func, error),
                    other => other.to_string(),
                };
                bail!("function `{symbol}`: {message}");
            }
            let code = context.compiled_code().expect("it was just compiled");
            lines.add(id, &symbol, code);
            frames.add(self.module.isa(), id, code)?;
        }
        self.define_data()?;
        lines.define(&mut self.module)?;
        let mut product = self.module.finish();
        frames.write(&mut product, lines.endian())?;
        note::write(&mut product, &request.cpu, lines.endian())?;
        if request.debug_info {
            lines.describe(&mut product, &request.name)?;
        }
        Ok(product.emit()?)
    }

    fn define(&mut self, id: FuncId, context: &mut Context) -> Result<(), ModuleError> {
        verify_function(&context.func, self.module.isa())
            .map_err(|errors| ModuleError::Compilation(errors.into()))?;
        self.module.define_function_with_control_plane(id, context, &mut ControlPlane::default())
    }

    /// Whether code can have the distance of data, which cranelift-object writes for COFF on x86_64
    /// alone. Elsewhere it has their addresses.
    fn has_near_data(&self) -> bool {
        let triple = self.module.isa().triple();
        triple.binary_format != BinaryFormat::Coff || triple.architecture == Architecture::X86_64
    }

    fn linkage(&self, name: &str) -> Linkage {
        if self.declarations.exports.contains(name) { Linkage::Export } else { Linkage::Local }
    }

    fn declare_data(&mut self) -> Result<()> {
        for data in &self.declarations.data {
            let symbol = self.declarations.symbol(data.name);
            let linkage = self.linkage(data.name);
            let id = self.module.declare_data(symbol, linkage, data.is_writable, false)?;
            self.names.insert(data.name.to_owned(), FuncOrDataId::Data(id));
        }
        Ok(())
    }

    fn define_data(&mut self) -> Result<()> {
        for data in &self.declarations.data {
            let mut description = DataDescription::new();
            match &data.contents {
                Contents::Bytes(bytes) => description.define(bytes.clone().into()),
                Contents::Zeros(size) => description.define_zeroinit(*size),
            }
            description.set_align(data.alignment);
            for &(offset, function) in &data.addresses {
                let Some(&FuncOrDataId::Func(id)) = self.names.get(function) else {
                    bail!("no function `%{function}`");
                };
                let reference = self.module.declare_func_in_data(id, &mut description);
                description.write_function_addr(offset, reference);
            }
            let Some(&FuncOrDataId::Data(id)) = self.names.get(data.name) else {
                bail!("`%{}` is a function too", data.name);
            };
            self.module.define_data(id, &description)?;
        }
        Ok(())
    }

    /// Replace the names in a function by what they stand for; an unknown one is imported.
    fn resolve(&mut self, mut function: Function) -> Result<Function> {
        for reference in function.dfg.ext_funcs.keys() {
            let Some(name) = text_of(&function.dfg.ext_funcs[reference].name) else { continue };
            if !self.names.contains_key(&name) {
                let signature =
                    &function.dfg.signatures[function.dfg.ext_funcs[reference].signature];
                let id = self.module.declare_function(&name, Linkage::Import, signature)?;
                self.names.insert(name.clone(), FuncOrDataId::Func(id));
            }
            let FuncOrDataId::Func(id) = self.names[&name] else {
                bail!("`%{name}` is not a function");
            };
            let user = UserExternalName::new(0, id.as_u32());
            let user = function.declare_imported_user_function(user);
            function.dfg.ext_funcs[reference].name = ExternalName::user(user);
        }
        for value in function.global_values.keys() {
            let GlobalValueData::Symbol { name, .. } = &function.global_values[value] else {
                continue;
            };
            let Some(name) = text_of(name) else { continue };
            if !self.names.contains_key(&name) {
                let id = self.module.declare_data(&name, Linkage::Import, true, false)?;
                self.names.insert(name.clone(), FuncOrDataId::Data(id));
            }
            let user = match self.names[&name] {
                FuncOrDataId::Data(id) => UserExternalName::new(1, id.as_u32()),
                FuncOrDataId::Func(id) => UserExternalName::new(0, id.as_u32()),
            };
            let user = function.declare_imported_user_function(user);
            let has_near = self.has_near_data();
            if let GlobalValueData::Symbol { name, colocated, .. } =
                &mut function.global_values[value]
            {
                *name = ExternalName::user(user);
                *colocated &= has_near;
            }
        }
        Ok(function)
    }
}

fn name_of(function: &Function) -> Result<String> {
    match &function.name {
        UserFuncName::Testcase(name) => Ok(String::from_utf8_lossy(name.raw()).into_owned()),
        UserFuncName::User(name) => bail!("function `{name}` has a number for a name"),
    }
}

fn text_of(name: &ExternalName) -> Option<String> {
    match name {
        ExternalName::TestCase(name) => Some(String::from_utf8_lossy(name.raw()).into_owned()),
        _ => None,
    }
}
