/// A trace as `tests/conformance` writes it: numbers as unsigned LEB128, byte strings with their length before them.
#[test_only]
module vramhub::conformance_tape;

public struct Tape has drop { bytes: vector<u8>, at: u64 }

public fun new(bytes: vector<u8>): Tape { Tape { bytes, at: 0 } }

public fun is_done(tape: &Tape): bool { tape.at == tape.bytes.length() }

public fun skip(tape: &mut Tape, length: u64) { tape.at = tape.at + length; }

/// A number.
public fun u(tape: &mut Tape): u64 {
    let mut value = 0u64;
    let mut shift = 0u8;
    loop {
        let byte = tape.bytes[tape.at] as u64;
        tape.at = tape.at + 1;
        value = value | ((byte & 127) << shift);
        if (byte < 128) return value;
        shift = shift + 7;
    }
}

/// A truth value.
public fun flag(tape: &mut Tape): bool { tape.u() == 1 }

/// A byte string.
public fun b(tape: &mut Tape): vector<u8> {
    let length = tape.u();
    let mut bytes = vector[];
    length.do!(|_| {
        bytes.push_back(tape.bytes[tape.at]);
        tape.at = tape.at + 1;
    });
    bytes
}
