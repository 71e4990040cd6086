//! What Cranelift cannot compile for every target yet, in operations that it can.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Function, InstBuilder, InstructionData, Opcode};

/// Expand the arithmetic that reports overflow, which riscv64 lacks.
pub fn expand_overflow(function: &mut Function) {
    let mut cursor = FuncCursor::new(function);
    while cursor.next_block().is_some() {
        while let Some(inst) = cursor.next_inst() {
            let InstructionData::Binary { opcode, args: [a, b] } = cursor.func.dfg.insts[inst]
            else {
                continue;
            };
            if !matches!(
                opcode,
                Opcode::SaddOverflow | Opcode::SsubOverflow | Opcode::SmulOverflow
            ) {
                continue;
            }
            let &[result, overflow] = cursor.func.dfg.inst_results(inst) else {
                continue;
            };
            let type_ = cursor.func.dfg.value_type(result);
            cursor.use_srcloc(inst);
            cursor.func.dfg.clear_results(inst);
            if opcode == Opcode::SmulOverflow {
                cursor.ins().with_result(result).imul(a, b);
                let high = cursor.ins().smulhi(a, b);
                let last_bit = cursor.ins().iconst(type_, i64::from(type_.bits()) - 1);
                let sign = cursor.ins().sshr(result, last_bit);
                cursor.ins().with_result(overflow).icmp(IntCC::NotEqual, high, sign);
            } else {
                let is_sum = opcode == Opcode::SaddOverflow;
                if is_sum {
                    cursor.ins().with_result(result).iadd(a, b);
                } else {
                    cursor.ins().with_result(result).isub(a, b);
                }
                // The result differs in sign from a, and b does (difference) or does not (sum).
                let from_a = cursor.ins().bxor(a, result);
                let from_b = cursor.ins().bxor(b, if is_sum { result } else { a });
                let signs = cursor.ins().band(from_a, from_b);
                let zero = cursor.ins().iconst(type_, 0);
                cursor.ins().with_result(overflow).icmp(IntCC::SignedLessThan, signs, zero);
            }
            cursor.remove_inst_and_step_back();
        }
    }
}
