//! Which source line the code of each offset comes from: the section `mochi.lines` of the program's
//! WebAssembly, in base64. `mochi_rules/wasm/debug/lines.py` writes it and says what is in it.
//!
//! It is looked at after a trap only. Where it is damaged, no line is known.

/// Return the place, such as `app/main.mochi:7`, of the code at an offset of the WebAssembly.
pub fn find(section: &[u8], offset: u64) -> Option<String> {
    let mut rest = section;
    let count = number(&mut rest)?;
    let files = (0..count).map(|_| name(&mut rest)).collect::<Option<Vec<_>>>()?;
    let (mut start, mut line, mut found) = (0_u64, 0_u64, None);
    while !rest.is_empty() {
        start = start.checked_add(number(&mut rest)?)?;
        if start > offset {
            break;
        }
        found = number(&mut rest)?.checked_sub(1);
        if found.is_some() {
            let step = number(&mut rest)?;
            line = line.wrapping_add(step >> 1 ^ (step & 1).wrapping_neg());
        }
    }
    let file = files.get(usize::try_from(found?).ok()?)?;
    Some(format!("{file}:{line}"))
}

/// Decode base64.
pub fn unpack(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for character in text.trim_end_matches('=').bytes() {
        let digit = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

/// Read an unsigned LEB128.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn name<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let size = usize::try_from(number(rest)?).ok()?;
    let (name, tail) = rest.split_at_checked(size)?;
    *rest = tail;
    str::from_utf8(name).ok()
}
